#include "store/merge.h"

#include <algorithm>
#include <limits>
#include <map>
#include <utility>
#include <vector>

#include "base/error.h"
#include "store/hdf5.h"
#include "store/results_reader.h"
#include "store/results_writer.h"

namespace roundtrip::store {
namespace {

constexpr size_t kOpenAtOnce = 64;            // of the 1024 files that a process may usually open
constexpr size_t kCachePerFile = 256 << 10;   // bytes
constexpr int64_t kStretchOfSteps = 1 << 16;  // read at once
constexpr int64_t kBytesPerRow = 64;          // in memory: its place, and a value of the column being merged
constexpr int64_t kBytesPerStep = 2 * 6 * 8;

// The parts, opened on demand. They are read from the first to the last repeatedly: where not all can stay open, most
// do, and the others are opened in turn.
class Parts {
 public:
  using Groups = std::map<std::string, hdf5::Group>;

  explicit Parts(std::span<const std::filesystem::path> paths) : paths_(paths) {}

  size_t size() const { return paths_.size(); }
  const ResultsReader& table(size_t part) { return open(part).table; }
  const Groups& arrays(size_t part) { return open(part).arrays; }

 private:
  struct OpenPart {
    explicit OpenPart(const std::filesystem::path& path)
        : table(path, kCachePerFile), file(hdf5::File::open(path, kCachePerFile)) {
      for (const std::string& name : array_groups(file)) arrays.emplace(name, file.open_group(name));
    }
    ResultsReader table;
    hdf5::File file;
    Groups arrays;
  };

  const OpenPart& open(size_t part) {
    const auto found = open_.find(part);
    if (found != open_.end()) return found->second;
    if (open_.size() == kOpenAtOnce) open_.erase(newest_);
    newest_ = part;
    return open_.try_emplace(part, paths_[part]).first->second;
  }

  std::span<const std::filesystem::path> paths_;
  std::map<size_t, OpenPart> open_;
  size_t newest_ = 0;  // of those open
};

struct Place {
  int32_t part = -1, row = 0;
};

// The first step of each row of a part, and the end; empty where the part has no steps.
std::vector<int64_t> first_steps_of(const ResultsReader& table) {
  const int64_t steps = table.step_rows();
  if (steps == 0) return {};
  std::vector<int64_t> first(table.records() + 1, 0);
  for (int64_t begin = 0; begin < steps; begin += kStretchOfSteps) {
    for (const int64_t row : table.step_records(begin, std::min(kStretchOfSteps, steps - begin))) {
      if (row < 0 || row >= table.records()) throw input_error(table.path().string(), "a step without a record");
      ++first[row + 1];
    }
  }
  for (size_t row = 1; row < first.size(); ++row) first[row] += first[row - 1];
  return first;
}

// The places of the records that count.
struct Catalogue {
  std::vector<Place> places;                      // by plan row
  std::vector<std::vector<int64_t>> first_steps;  // by part (first_steps_of)
  std::vector<bool> has_arrays;                   // by part
  int64_t records = 0, step_rows = 0;

  Catalogue(Parts& parts, int64_t planned_records) : places(planned_records) {
    for (size_t p = 0; p < parts.size(); ++p) {
      const ResultsReader& table = parts.table(p);
      const std::vector<int64_t> plan_rows = table.plan_rows();
      const std::string where = table.path().string();
      if (!std::ranges::is_sorted(plan_rows)) throw input_error(where, "plan rows out of order", "ascending");
      check(plan_rows.size() < std::numeric_limits<int32_t>::max(), "a part has fewer than 2^31 rows");
      for (size_t row = 0; row < plan_rows.size(); ++row) {
        if (plan_rows[row] < 0 || plan_rows[row] >= planned_records) {
          throw input_error(where, fmt::format("plan row {}", plan_rows[row]), "a row of the plan");
        }
        places[plan_rows[row]] = {static_cast<int32_t>(p), static_cast<int32_t>(row)};
      }
      first_steps.push_back(first_steps_of(table));
      has_arrays.push_back(!parts.arrays(p).empty());
    }
    for (const Place& place : places) {
      if (place.part < 0) continue;
      ++records;
      step_rows += steps_of(place);
    }
  }

  int64_t first_step(size_t part, int64_t row) const { return first_steps[part].empty() ? 0 : first_steps[part][row]; }
  int64_t steps_of(Place place) const {
    return first_step(place.part, place.row + 1) - first_step(place.part, place.row);
  }
};

// The records of a stretch of the plan, gathered from the parts a column at a time.
class Stretch {
 public:
  Stretch(Parts& parts, const Catalogue& catalogue, int64_t begin, int64_t end) : parts_(parts), catalogue_(catalogue) {
    std::map<int32_t, std::vector<int64_t>> rows_of_part;
    for (int64_t plan_row = begin; plan_row < end; ++plan_row) {
      if (const int32_t part = catalogue.places[plan_row].part; part >= 0) {
        rows_of_part[part].push_back(static_cast<int64_t>(plan_rows_.size()));
        plan_rows_.push_back(plan_row);
      }
    }
    for (auto& [part, rows] : rows_of_part) {
      const int64_t first = place(rows.front()).row, last = place(rows.back()).row;
      shares_.push_back({static_cast<size_t>(part), first, last + 1 - first, std::move(rows)});
    }
  }

  const std::vector<int64_t>& plan_rows() const { return plan_rows_; }
  Place place(int64_t row) const { return catalogue_.places[plan_rows_[row]]; }

  std::vector<double> numbers(const std::string& column) const {
    return gathered<double>(
        [&](const ResultsReader& table, int64_t first, int64_t count) { return table.numbers(column, first, count); });
  }

  std::vector<int64_t> integers(const std::string& column) const {
    return gathered<int64_t>(
        [&](const ResultsReader& table, int64_t first, int64_t count) { return table.integers(column, first, count); });
  }

  // Valid as long as `texts`, which receives the texts of each part.
  std::vector<const char*> texts(const std::string& column, std::vector<Texts>& texts) const {
    std::vector<const char*> pointers(plan_rows_.size());
    for (const Share& share : shares_) {
      const Texts& from = texts.emplace_back(parts_.table(share.part).text_views(column, share.first, share.count));
      for (const int64_t row : share.rows) pointers[row] = from.c_str(place(row).row - share.first);
    }
    return pointers;
  }

  StepTable steps() const {
    std::vector<int64_t> first = {0};  // by row, and one more
    for (int64_t row = 0; row < std::ssize(plan_rows_); ++row) {
      first.push_back(first.back() + catalogue_.steps_of(place(row)));
    }
    StepTable steps;
    const auto each_column = [&](auto&& action) {
      action(&StepTable::i), action(&StepTable::t), action(&StepTable::inner_steps);
      action(&StepTable::pivot_distance), action(&StepTable::loss);
    };
    each_column([&](auto column) { (steps.*column).resize(first.back()); });
    for (int64_t row = 0; row < std::ssize(plan_rows_); ++row) steps.record.resize(first[row + 1], row);
    for (const Share& share : shares_) {
      const int64_t begin = catalogue_.first_step(share.part, share.first);
      const int64_t end = catalogue_.first_step(share.part, share.first + share.count);
      if (begin == end) continue;
      const StepTable from = parts_.table(share.part).steps(begin, end - begin);
      for (const int64_t row : share.rows) {
        const int64_t at = catalogue_.first_step(share.part, place(row).row) - begin;
        each_column([&](auto column) {
          std::copy_n((from.*column).begin() + at, first[row + 1] - first[row], (steps.*column).begin() + first[row]);
        });
      }
    }
    return steps;
  }

 private:
  // Some rows of a part [first, first + count).
  struct Share {
    size_t part;
    int64_t first, count;
    std::vector<int64_t> rows;  // of the stretch
  };

  template <typename T>
  std::vector<T> gathered(const auto& read) const {
    std::vector<T> values(plan_rows_.size());
    for (const Share& share : shares_) {
      const std::vector<T> from = read(parts_.table(share.part), share.first, share.count);
      for (const int64_t row : share.rows) values[row] = from[place(row).row - share.first];
    }
    return values;
  }

  Parts& parts_;
  const Catalogue& catalogue_;
  std::vector<int64_t> plan_rows_;  // by row
  std::vector<Share> shares_;
};

void write_column(const Stretch& stretch, const Column& column, size_t number, ResultsWriter& writer) {
  switch (column.type) {
    case ColumnType::kFloat64:
      writer.write_column(number, std::span<const double>(stretch.numbers(column.name)));
      break;
    case ColumnType::kInt64:
      writer.write_column(number, std::span<const int64_t>(stretch.integers(column.name)));
      break;
    case ColumnType::kString:
      std::vector<Texts> texts;
      writer.write_column(number, std::span<const char* const>(stretch.texts(column.name, texts)));
      break;
  }
}

}  // namespace

void merge_results(std::span<const std::filesystem::path> paths, const TableLayout& layout, int64_t memory,
                   const std::filesystem::path& to) {
  Parts parts(paths);
  const Catalogue catalogue(parts, layout.planned_records);
  const int64_t steps_per_record = catalogue.step_rows / std::max<int64_t>(catalogue.records, 1);
  const int64_t rows_at_once = std::max<int64_t>(memory / (kBytesPerRow + steps_per_record * kBytesPerStep), 1);

  ResultsWriter writer(to, layout, catalogue.records, catalogue.step_rows);
  int64_t written = 0;
  for (int64_t begin = 0; begin < layout.planned_records; begin += rows_at_once) {
    const Stretch stretch(parts, catalogue, begin, std::min(begin + rows_at_once, layout.planned_records));
    const auto rows = std::ssize(stretch.plan_rows());
    if (rows == 0) continue;
    writer.write_plan_rows(stretch.plan_rows());
    for (size_t c = 0; c < layout.columns.size(); ++c) write_column(stretch, layout.columns[c], c, writer);
    const StepTable steps = stretch.steps();
    writer.write_steps(steps);
    writer.advance(rows, steps.size());
    for (int64_t row = 0; row < rows; ++row) {
      const Place place = stretch.place(row);
      if (!catalogue.has_arrays[place.part]) continue;
      for (const auto& [name, group] : parts.arrays(place.part)) {
        writer.copy_arrays(group, name, place.row, written + row);
      }
    }
    written += rows;
  }
  writer.finish();
}

}  // namespace roundtrip::store
