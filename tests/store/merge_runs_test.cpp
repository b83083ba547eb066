// Runs that were shared out, merged: by what records are known by, not by their place.
#include "store/merge_runs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "columns/columns.h"
#include "store/example.h"
#include "store/results_reader.h"

namespace roundtrip::store {
namespace {

using example::error_of;
using example::Folder;
using testing::ElementsAre;
using testing::HasSubstr;
namespace fs = std::filesystem;

const Column kPsnr{"psnr", ColumnType::kFloat64, "", "dB", "higher", "1"};

struct Row {
  int64_t trial;
  std::string sample;
  double psnr;
  bool failed = false;
};

fs::path run_of(const fs::path& run, const std::vector<std::string>& ids, const std::vector<Row>& rows,
                const Column& metric = kPsnr, const std::string& input = "same") {
  TableLayout layout;
  layout.columns = columns::table_columns({}, std::vector<Column>{metric});
  layout.trial_ids = ids;
  for (const std::string& id : ids) layout.trial_configs.push_back("id: " + id + "\n");
  layout.planned_records = static_cast<int64_t>(rows.size());
  RunStore store(run, layout);
  for (size_t k = 0; k < rows.size(); ++k) {
    Record record{.plan_row = static_cast<int64_t>(k), .values = {}, .steps = {}};
    record.values = {{"trial", rows[k].trial},
                     {"sample", rows[k].sample},
                     {"psnr", rows[k].psnr},
                     {"input_digest", input},
                     {"status", std::string(rows[k].failed ? "failed" : "ok")}};
    const std::vector<std::byte> picture(3, static_cast<std::byte>(rows[k].psnr));
    const std::vector<ArrayView> arrays = {{"images/{row}", ArrayType::kUint8, {1, 1, 3}, picture}};
    store.append(record, arrays);
  }
  return store.finish();
}

TEST(MergeRuns, PutsSharedOutRecordsInTheOrderOfTheSweep) {
  const Folder folder;
  const std::vector<fs::path> runs = {
      run_of(folder / "a", {"x", "y"}, {{0, "p", 1}, {0, "q", 2}, {1, "p", 3}, {1, "q", 4}}),
      run_of(folder / "b", {"y", "z"}, {{0, "r", 5}, {1, "p", 6}, {1, "r", 7}})};
  const MergedRuns merged = merge_runs(runs, folder / "whole");
  EXPECT_EQ(merged.records, 7);
  EXPECT_EQ(merged.repeated, 0);
  const ResultsReader results(merged.results);
  EXPECT_TRUE(results.complete());
  EXPECT_THAT(results.trial_ids(), ElementsAre("x", "y", "z"));
  EXPECT_THAT(results.integers("trial"), ElementsAre(0, 0, 1, 1, 1, 2, 2));
  EXPECT_THAT(results.texts("sample"), ElementsAre("p", "q", "p", "q", "r", "p", "r"));
  EXPECT_THAT(results.numbers("psnr"), ElementsAre(1, 2, 3, 4, 5, 6, 7));
  for (int64_t row = 0; row < 7; ++row) {
    EXPECT_EQ(results.array("images/" + std::to_string(row)).bytes[0], static_cast<std::byte>(row + 1));
  }
  const std::vector<fs::path> left(fs::directory_iterator(folder / "whole"), {});
  EXPECT_THAT(left, ElementsAre(merged.results));
}

TEST(MergeRuns, CountsARecordOnceAndOneThatDidNotFailFirst) {
  const Folder folder;
  const std::vector<fs::path> runs = {run_of(folder / "a", {"x"}, {{0, "p", 1, true}, {0, "q", 2}}),
                                      run_of(folder / "b", {"x"}, {{0, "q", 9}, {0, "p", 3}})};
  const MergedRuns merged = merge_runs(runs, folder / "whole");
  EXPECT_EQ(merged.repeated, 2);
  const ResultsReader results(merged.results);
  EXPECT_THAT(results.numbers("psnr"), ElementsAre(3, 2));
  EXPECT_THAT(results.texts("status"), ElementsAre("ok", "ok"));
}

TEST(MergeRuns, RefusesWhatDoesNotBelongTogether) {
  const Folder folder;
  const fs::path a = run_of(folder / "a", {"x"}, {{0, "p", 1}});
  Column newer = kPsnr;
  newer.version = "2";
  const fs::path rescored = run_of(folder / "b", {"x"}, {{0, "q", 1}}, newer);
  const fs::path redrawn = run_of(folder / "c", {"y"}, {{0, "p", 1}}, kPsnr, "another");
  const auto refusal = [&](const fs::path& other) {
    return error_of([&] { merge_runs(std::vector{a, other}, folder / "whole"); });
  };
  EXPECT_THAT(refusal(rescored), HasSubstr("column psnr of another type, unit or version"));
  EXPECT_THAT(refusal(redrawn), HasSubstr("sample p has another image"));
  EXPECT_THAT(error_of([&] { merge_runs(std::vector{a}, folder / "a"); }), HasSubstr("holds a run already"));
  EXPECT_FALSE(fs::exists(folder / "whole"));
}

}  // namespace
}  // namespace roundtrip::store
