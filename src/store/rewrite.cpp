#include "store/rewrite.h"

#include <algorithm>

#include "store/record_rows.h"
#include "store/results_writer.h"

namespace roundtrip::store {
namespace {

constexpr int64_t kStretch = 1 << 14;  // records in memory at once

}  // namespace

TableLayout layout_of(const ResultsReader& results) {
  return {.columns = results.columns(),
          .attributes = results.attributes(),
          .trial_configs = results.trial_configs(),
          .trial_ids = results.trial_ids(),
          .provenance = results.provenance(),
          .planned_records = results.planned_records()};
}

void rewrite_results(const std::filesystem::path& from, const TableLayout& layout,
                     const std::function<void(int64_t row, Record& record)>& change, const std::filesystem::path& to) {
  const ResultsReader results(from);
  const hdf5::File file = hdf5::File::open(from);
  ResultsWriter writer(to, layout, results.records(), results.step_rows());
  for (int64_t first = 0; first < results.records(); first += kStretch) {
    std::vector<Record> records = read_records(results, first, std::min(kStretch, results.records() - first));
    GatheredRecords gathered(layout.columns);
    for (size_t k = 0; k < records.size(); ++k) {
      change(first + static_cast<int64_t>(k), records[k]);
      gathered.add(records[k]);
    }
    writer.write(gathered.in_plan_order().first);
  }
  for (const std::string& name : array_groups(file)) {
    const hdf5::Group group = file.open_group(name);
    for (int64_t row = 0; row < results.records(); ++row) writer.copy_arrays(group, name, row, row);
  }
  writer.finish();
}

}  // namespace roundtrip::store
