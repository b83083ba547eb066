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
  std::vector<int64_t> plan_rows;   // by row
  std::vector<int64_t> first_step;  // by row, and one more
  bool has_arrays = false;

  explicit Part(const std::filesystem::path& p) : path(p) {
    const ResultsReader reader(path);
    has_arrays = !array_groups(hdf5::File::open(path)).empty();
    plan_rows = reader.plan_rows();
    if (!std::ranges::is_sorted(plan_rows)) throw input_error(path.string(), "plan rows out of order", "ascending");
    const std::vector<int64_t> step_records = reader.step_records();
    auto step = step_records.begin();
    for (int64_t row = 0; row <= reader.records(); ++row) {
      step = std::lower_bound(step, step_records.end(), row);
      first_step.push_back(step - step_records.begin());
    }
  }

  int64_t steps_of(int64_t row) const { return first_step[row + 1] - first_step[row]; }
};

// By plan row: the last part that holds it, or -1.
using Holders = std::vector<int32_t>;

Holders holders_of(const std::vector<Part>& parts, int64_t planned_records) {
  Holders holders(planned_records, -1);
  for (size_t p = 0; p < parts.size(); ++p) {
    for (const int64_t row : parts[p].plan_rows) {
      if (row < 0 || row >= planned_records) {
        throw input_error(parts[p].path.string(), fmt::format("plan row {}", row), "a row of the plan");
      }
      holders[row] = static_cast<int32_t>(p);
    }
  }
  return holders;
}

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

  // Adds those of the part's rows with plan rows in [begin, end), which lie next to each other, that count.
  void add(const std::vector<Part>& parts, size_t p, const Holders& holders, int64_t begin, int64_t end) {
    const Part& part = parts[p];
    const int64_t first = std::ranges::lower_bound(part.plan_rows, begin) - part.plan_rows.begin();
    const int64_t last = std::ranges::lower_bound(part.plan_rows, end) - part.plan_rows.begin();
    if (first == last) return;
    const ResultsReader table(part.path);
    const int64_t step_shift = static_cast<int64_t>(block_.steps.size()) - part.first_step[first];
    add_steps(table.steps(part.first_step[first], part.first_step[last] - part.first_step[first]));
    for (int64_t row = first; row < last; ++row, ++gathered_) {
      const int64_t plan_row = part.plan_rows[row];
      if (holders[plan_row] != static_cast<int32_t>(p)) continue;
      sources_.push_back({plan_row, p, row, gathered_, static_cast<size_t>(part.first_step[row] + step_shift),
                          static_cast<size_t>(part.first_step[row + 1] + step_shift)});
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
  void add_steps(const StepTable& steps) {
    append(block_.steps.i, steps.i);
    append(block_.steps.t, steps.t);
    append(block_.steps.record, steps.record);
    append(block_.steps.pivot_distance, steps.pivot_distance);
    append(block_.steps.loss, steps.loss);
    append(block_.steps.inner_steps, steps.inner_steps);
  }

  const std::vector<Column>& columns_;
  TableBlock block_;
  size_t gathered_ = 0;  // rows in block_, those that do not count too
  std::vector<Source> sources_;
};

}  // namespace

void merge_results(std::span<const std::filesystem::path> paths, const TableLayout& layout, int64_t memory,
                   const std::filesystem::path& to) {
  const std::vector<Part> parts(paths.begin(), paths.end());
  const Holders holders = holders_of(parts, layout.planned_records);
  int64_t records = 0, step_rows = 0;
  for (size_t p = 0; p < parts.size(); ++p) {
    for (size_t row = 0; row < parts[p].plan_rows.size(); ++row) {
      if (holders[parts[p].plan_rows[row]] != static_cast<int32_t>(p)) continue;
      ++records;
      step_rows += parts[p].steps_of(static_cast<int64_t>(row));
    }
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
    for (size_t p = 0; p < parts.size(); ++p) gathered.add(parts, p, holders, begin, end);
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
