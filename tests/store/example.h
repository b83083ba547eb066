// A small run for the tests of this room: a folder that goes away, a layout with one column of each type,
// records.
#pragma once

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/error.h"
#include "store/run_store.h"

namespace roundtrip::store::example {

// A new folder below the test's temporary one, removed with the object.
class Folder {
 public:
  Folder() {
    std::string pattern = testing::TempDir() + "roundtrip_store_XXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

inline constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
inline constexpr double kInfinity = std::numeric_limits<double>::infinity();

inline TableLayout layout(int64_t planned) {
  return {.columns = {{"sample", ColumnType::kString, "the image", "", "", ""},
                      {"steps", ColumnType::kInt64, "steps of the grid", "", "", ""},
                      {"psnr", ColumnType::kFloat64, "peak signal-to-noise ratio", "dB", "higher", "psnr-1"}},
          .attributes = {{"title", "an example"}},
          .trial_configs = {"steps: 10\n", "steps: 20\nprompt: \"na\xC3\xAFve\"\n"},
          .trial_ids = {"0f", "1e"},
          .provenance = {{"host", "nowhere"}},
          .planned_records = planned};
}

// The values of record `row` depend on `row` alone.
inline std::string sample_of(int64_t row) { return "caf\xC3\xA9/\"quoted\"\n" + std::to_string(row); }
inline double psnr_of(int64_t row) { return row % 7 == 3 ? kInfinity : 20 + std::sin(static_cast<double>(row)); }

inline Record record(int64_t row, int steps = 2) {
  Record result{.plan_row = row, .values = {}, .steps = {}};
  result.values = {{"sample", sample_of(row)}, {"steps", int64_t{10}}, {"psnr", psnr_of(row)}};
  for (int i = 1; i <= steps; ++i) {
    result.steps.push_back(
        {.i = i, .t = static_cast<double>(100 * i), .pivot_distance = 0.5 * i, .loss = kNaN, .inner_steps = -1});
  }
  return result;
}

inline std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void write_bytes(const std::filesystem::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

// The one-line message of the Error that `action` throws; empty where it throws none.
template <typename Action>
std::string error_of(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.message().find('\n'), std::string::npos) << error.message();
    return error.message();
  }
  return "";
}

}  // namespace roundtrip::store::example
