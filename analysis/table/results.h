// Records of one run for analysis: cells (settings without the seed) of images, and the columns of numbers.
//
// Seeds are replicates: an image's value in a cell is the mean over its seeds. Failed records stay in the table, with
// NaN for every measure, and every count includes them. Columns are read on first use.
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
  // `run` is a results file or its folder. Runs to be compared share their names of images.
  // Throws kInput if it is not a results file, or lacks the columns that identify records.
  // `by` names columns of text that split every setting by the values of its records, such as "edit_type": they count
  // as axes. Throws kInput for one that the run does not have.
  explicit Results(const std::filesystem::path& run, std::shared_ptr<Names> images = std::make_shared<Names>(),
                   const std::vector<std::string>& by = {});

  const std::string& name() const { return name_; }  // of the run's folder
  const store::ResultsReader& reader() const { return reader_; }
  int64_t records() const { return reader_.records(); }

  // Columns in the file's order, then those that came after the file was written.
  const std::vector<std::string>& axes() const { return axes_; }
  const std::vector<size_t>& varying() const { return varying_; }  // those that differ between cells
  size_t axis(const std::string& column) const;                    // may throw kInput with the nearest name
  const std::vector<Cell>& cells() const { return cells_; }        // in the order of the plan
  std::string label(const Cell& cell) const;  // values of the varying axes: "null_text, 50 steps, w 7.5"

  const std::shared_ptr<Names>& images() const { return images_; }
  int32_t image(int64_t row) const { return image_of_[row]; }  // the sample, with the target of its edit, if any
  bool failed(int64_t row) const { return failed_[row]; }

  // Quality columns in the file's order: those with a direction that are not costs.
  const std::vector<store::Column>& metrics() const { return metrics_; }
  // Cost columns that were measured: nfe (forward evaluations), grad_nfe, seconds (network), peak_memory_bytes.
  const std::vector<store::Column>& costs() const { return costs_; }
  // All columns of the file, with missing display attributes completed (measures.h).
  const std::vector<store::Column>& columns() const { return columns_; }
  // Finds a metric, a cost or any other column of numbers; nullptr if there is none.
  const store::Column* find(const std::string& column) const;

  // Values by row; NaN if the record failed. Also accepts nfe, seconds, and failed (1 or 0), which the file lacks.
  // Throws kInput with the nearest name.
  const std::vector<double>& numbers(const std::string& column) const;

 private:
  void read_records(const std::vector<std::string>& by);
  void make_cells(const std::vector<Setting>& settings, const std::vector<int64_t>& trial_of,
                  const std::vector<int64_t>& first_rows, const std::vector<std::string>& by);
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
