// One row of results, and its columns. Values are plain numbers and text, arrays are spans of bytes: this room does not
// see tensors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace roundtrip::store {

enum class ColumnType { kFloat64, kInt64, kString };

// The place of a column that no reader looks for first.
inline constexpr int kLastOrder = 100;

struct Column {
  std::string name;
  ColumnType type = ColumnType::kFloat64;
  std::string long_name;  // one line
  std::string units;      // "s", "dB", "B"; empty for pure numbers
  std::string direction;  // "lower" or "higher" is better; empty where neither
  std::string version;    // of a metric: changes whenever its numbers would

  // How tables and figures show a measure.
  std::string label = {};   // "background PSNR"; empty: the name's words
  int digits = -1;          // behind the point; -1: as the number's size asks
  bool log_axis = false;    // in figures
  bool perceptual = false;  // judges what a viewer sees rather than pixel values
  int order = kLastOrder;   // lowest first

  // Of a score: its metric, what that compares ("pictures", "latents", "caption", "edit"), and which view of the
  // picture the score is of, empty for the whole picture against its source ("codec", "edit", "background").
  std::string metric = {}, compares = {}, view = {};
};

// monostate is "missing": NaN, -1 or "" in the file, by type.
using Value = std::variant<std::monostate, double, int64_t, std::string>;

// One step of one record, for the group per_step/. Missing numbers are NaN, missing counts -1.
struct StepRow {
  int64_t i = 0;  // grid index
  double t = 0;   // time that the network is given there
  double pivot_distance, loss;
  int64_t inner_steps = -1;
};

enum class ArrayType { kFloat32, kUint8 };

// An array stored beside the table: "trajectories/{row}/invert", "images/{row}", where "{row}" is the final row.
struct ArrayView {
  std::string path;
  ArrayType type = ArrayType::kFloat32;
  std::vector<int64_t> shape;
  std::span<const std::byte> bytes;
};

struct Record {
  int64_t plan_row = 0;                 // its index in the plan, which orders the final rows
  std::map<std::string, Value> values;  // by column; other columns are missing
  std::vector<StepRow> steps;
};

}  // namespace roundtrip::store
