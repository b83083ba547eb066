// The records of one run as analysis sees them: cells (settings but for the seed) of images, and the columns of
// numbers.
//
// Seeds are replicates: an image's value in a cell is the mean over its seeds. Failed records stay in the table, with
// NaN for every measure, and are counted wherever numbers are. Columns are read when first asked for.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "analysis/table/names.h"
#include "analysis/table/setting.h"
#include "store/results_reader.h"

namespace roundtrip::analysis {

struct Cell {
  Setting setting;
  std::vector<int32_t> rows;
  std::vector<int64_t> trials;  // one for each seed
  int64_t failed = 0;           // of the rows
};

class Results {
 public:
  // `run` is a results file or the folder of one. Runs that are to be compared share their names of images.
  // Throws kInput where it is no results file, or lacks the columns that say which record is which.
  explicit Results(const std::filesystem::path& run, std::shared_ptr<Names> images = std::make_shared<Names>());

  const std::string& name() const { return name_; }  // of the run's folder
  const store::ResultsReader& reader() const { return reader_; }
  int64_t records() const { return reader_.records(); }

  const std::vector<std::string>& axes() const { return axes_; }   // columns, in the file's order
  const std::vector<size_t>& varying() const { return varying_; }  // those that tell cells apart
  size_t axis(const std::string& column) const;                    // throws kInput with the nearest name
  const std::vector<Cell>& cells() const { return cells_; }        // in the order of the plan
  std::string label(const Cell& cell) const;  // by the axes that vary: "null_text, 50 steps, w 7.5"

  const std::shared_ptr<Names>& images() const { return images_; }
  int32_t image(int64_t row) const { return image_of_[row]; }  // the sample, with the target of its edit if any
  bool failed(int64_t row) const { return failed_[row]; }

  // Columns of quality, in the file's order: those with a direction that are no cost.
  const std::vector<store::Column>& metrics() const { return metrics_; }
  // nfe (forward evaluations), grad_nfe, seconds (of the network), peak_memory_bytes: those that were measured.
  const std::vector<store::Column>& costs() const { return costs_; }
  // All of the file's, with what the file does not say of how they are shown (measures.h).
  const std::vector<store::Column>& columns() const { return columns_; }
  // Of a metric, a cost or any other column of numbers; nullptr where there is none.
  const store::Column* find(const std::string& column) const;

  // By row; NaN where the record failed. Beside the file's columns: nfe, seconds, and failed (1 or 0).
  // Throws kInput with the nearest name.
  const std::vector<double>& numbers(const std::string& column) const;

 private:
  void read_records();
  void make_cells(std::vector<Setting> settings, const std::vector<int64_t>& trial_of,
                  const std::vector<int64_t>& first_rows);
  void find_varying();
  void describe_columns();
  std::vector<double> read_numbers(const std::string& column) const;

  std::string name_;
  store::ResultsReader reader_;
  std::vector<std::string> axes_;
  std::vector<size_t> varying_;
  std::vector<Cell> cells_;
  std::shared_ptr<Names> images_;
  std::vector<int32_t> image_of_;
  std::vector<bool> failed_;
  std::vector<store::Column> columns_, metrics_, costs_;
  mutable std::map<std::string, std::vector<double>> numbers_;
};

}  // namespace roundtrip::analysis
