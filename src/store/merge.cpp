#include "store/merge.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "base/error.h"
#include "store/hdf5.h"
#include "store/results_reader.h"
#include "store/results_writer.h"

namespace roundtrip::store {
namespace {

constexpr size_t kOpenAtOnce = 64;      // of the 1024 files that a process usually may
constexpr int64_t kBytesPerValue = 40;  // in memory: a short text, or a number with its place in a copy
constexpr int64_t kBytesPerStep = 2 * 6 * 8;

struct Part {
  std::filesystem::path path;
  int64_t records = 0, step_rows = 0;
  int64_t first_plan_row = 0, last_plan_row = -1;
  bool has_arrays = false;

  explicit Part(const std::filesystem::path& p) : path(p) {
    const ResultsReader reader(path);
    has_arrays = !array_groups(hdf5::File::open(path)).empty();
    records = reader.records();
    step_rows = reader.step_rows();
    if (records == 0) return;
    first_plan_row = reader.plan_rows(0, 1)[0];
    last_plan_row = reader.plan_rows(records - 1, 1)[0];
  }
};

// Opens the parts' groups of arrays when they are asked for, and closes all when too many are open.
class ArrayPool {
 public:
  using Groups = std::map<std::string, hdf5::Group>;

  explicit ArrayPool(std::span<const Part> parts) : parts_(parts) {}

  const Groups& operator[](size_t part) {
    const auto found = open_.find(part);
    if (found != open_.end()) return found->second.groups;
    if (open_.size() == kOpenAtOnce) open_.clear();
    return open_.try_emplace(part, parts_[part].path).first->second.groups;
  }

 private:
  struct OpenPart {
    explicit OpenPart(const std::filesystem::path& path) : file(hdf5::File::open(path)) {
      for (const std::string& name : array_groups(file)) groups.emplace(name, file.open_group(name));
    }
    hdf5::File file;
    Groups groups;
  };

  std::span<const Part> parts_;
  std::map<size_t, OpenPart> open_;
};

// Where a gathered row came from, and where its steps lie among the gathered ones.
struct Source {
  int64_t plan_row;
  size_t part;
  int64_t row;      // in the part
  size_t gathered;  // in the block before it is sorted
  size_t step, step_end;
};

template <typename T>
void append(std::vector<T>& to, const std::vector<T>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

template <typename T>
std::vector<T> permuted(std::vector<T>& values, const std::vector<Source>& sources) {
  std::vector<T> result;
  result.reserve(sources.size());
  for (const Source& source : sources) result.push_back(std::move(values[source.gathered]));
  return result;
}

class Gathered {
 public:
  explicit Gathered(const std::vector<Column>& columns) : columns_(columns) {
    for (const Column& column : columns) {
      switch (column.type) {
        case ColumnType::kFloat64:
          block_.columns.emplace_back(std::vector<double>());
          break;
        case ColumnType::kInt64:
          block_.columns.emplace_back(std::vector<int64_t>());
          break;
        case ColumnType::kString:
          block_.columns.emplace_back(std::vector<std::string>());
          break;
      }
    }
  }

  // Adds the part's rows with plan rows in [begin, end), which lie next to each other.
  void add(const ResultsReader& table, size_t part, int64_t begin, int64_t end) {
    const std::vector<int64_t> plan_rows = table.plan_rows();
    const int64_t first = std::ranges::lower_bound(plan_rows, begin) - plan_rows.begin();
    const int64_t last = std::ranges::lower_bound(plan_rows, end) - plan_rows.begin();
    const size_t steps_before = block_.steps.size();
    add_steps(table, first, last);
    size_t step = steps_before;
    for (int64_t row = first; row < last; ++row) {
      const size_t step_begin = step;
      while (step < block_.steps.size() && block_.steps.record[step] == row) ++step;
      sources_.push_back({plan_rows[row], part, row, sources_.size(), step_begin, step});
    }
    for (size_t c = 0; c < columns_.size(); ++c) {
      const std::string& name = columns_[c].name;
      const int64_t count = last - first;
      switch (columns_[c].type) {
        case ColumnType::kFloat64:
          append(std::get<std::vector<double>>(block_.columns[c]), table.numbers(name, first, count));
          break;
        case ColumnType::kInt64:
          append(std::get<std::vector<int64_t>>(block_.columns[c]), table.integers(name, first, count));
          break;
        case ColumnType::kString:
          append(std::get<std::vector<std::string>>(block_.columns[c]), table.texts(name, first, count));
          break;
      }
    }
  }

  // The rows in plan order, and where each came from.
  std::pair<TableBlock, std::vector<Source>> sorted() && {
    std::ranges::sort(sources_, {}, &Source::plan_row);
    TableBlock result;
    for (size_t row = 0; row < sources_.size(); ++row) {
      const Source& source = sources_[row];
      result.plan_rows.push_back(source.plan_row);
      for (size_t step = source.step; step < source.step_end; ++step) {
        result.steps.record.push_back(static_cast<int64_t>(row));
        result.steps.i.push_back(block_.steps.i[step]);
        result.steps.t.push_back(block_.steps.t[step]);
        result.steps.pivot_distance.push_back(block_.steps.pivot_distance[step]);
        result.steps.loss.push_back(block_.steps.loss[step]);
        result.steps.inner_steps.push_back(block_.steps.inner_steps[step]);
      }
    }
    for (ColumnValues& values : block_.columns) {
      result.columns.push_back(
          std::visit([&](auto& typed) { return ColumnValues(permuted(typed, sources_)); }, values));
    }
    return {std::move(result), std::move(sources_)};
  }

 private:
  // The steps of the part's rows [first, last), which lie next to each other too.
  void add_steps(const ResultsReader& table, int64_t first, int64_t last) {
    const std::vector<int64_t> record = table.step_records();
    const int64_t begin = std::ranges::lower_bound(record, first) - record.begin();
    const int64_t end = std::ranges::lower_bound(record, last) - record.begin();
    const StepTable steps = table.steps(begin, end - begin);
    append(block_.steps.record, steps.record);
    append(block_.steps.i, steps.i);
    append(block_.steps.t, steps.t);
    append(block_.steps.pivot_distance, steps.pivot_distance);
    append(block_.steps.loss, steps.loss);
    append(block_.steps.inner_steps, steps.inner_steps);
  }

  const std::vector<Column>& columns_;
  TableBlock block_;
  std::vector<Source> sources_;
};

}  // namespace

void merge_results(std::span<const std::filesystem::path> paths, const TableLayout& layout, int64_t memory,
                   const std::filesystem::path& to) {
  const std::vector<Part> parts(paths.begin(), paths.end());
  int64_t records = 0, step_rows = 0;
  for (const Part& part : parts) {
    records += part.records;
    step_rows += part.step_rows;
  }
  const auto columns = static_cast<int64_t>(layout.columns.size());
  const int64_t record_bytes =
      (columns + 1) * kBytesPerValue + step_rows * kBytesPerStep / std::max<int64_t>(records, 1);
  const int64_t block_rows = std::max<int64_t>(memory / record_bytes, 1);

  ResultsWriter writer(to, layout, records, step_rows);
  int64_t row = 0;
  for (int64_t begin = 0; begin < layout.planned_records; begin += block_rows) {
    const int64_t end = std::min(begin + block_rows, layout.planned_records);
    Gathered gathered(layout.columns);
    for (size_t p = 0; p < parts.size(); ++p) {
      const bool meets = parts[p].first_plan_row < end && parts[p].last_plan_row >= begin;
      if (meets) gathered.add(ResultsReader(parts[p].path), p, begin, end);
    }
    const auto [block, sources] = std::move(gathered).sorted();
    if (block.plan_rows.empty()) continue;
    writer.write(block);
    ArrayPool arrays(parts);  // for this stretch only: a file that stays open keeps the texts read from it
    for (const Source& source : sources) {
      if (parts[source.part].has_arrays) {
        for (const auto& [name, group] : arrays[source.part]) writer.copy_arrays(group, name, source.row, row);
      }
      ++row;
    }
  }
  writer.finish();
}

}  // namespace roundtrip::store
