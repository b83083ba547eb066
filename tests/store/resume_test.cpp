// Runs taken up again: finished ones too, under the same plan or another, with records tried anew; and looked at from
// outside.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/example.h"
#include "store/results_reader.h"
#include "store/run_status.h"
#include "store/run_store.h"

namespace roundtrip::store {
namespace {

using example::Folder;
using testing::ElementsAre;
using testing::HasSubstr;
namespace fs = std::filesystem;

constexpr StoreOptions kSmallShards{.records_per_shard = 4};

// Rows [first, last) of a run of `planned`, finished.
fs::path finished_run(const fs::path& run, int64_t planned, int64_t first, int64_t last) {
  RunStore store(run, example::layout(planned), kSmallShards);
  for (int64_t row = first; row < last; ++row) store.append(example::record(row));
  return store.finish();
}

TEST(Recover, TakesUpAFinishedRunAndEndsWithTheBytesOfAnUninterruptedOne) {
  const Folder folder;
  const fs::path whole = finished_run(folder / "whole", 10, 0, 10);
  const fs::path half = finished_run(folder / "half", 10, 3, 7);
  {
    RunStore store = RunStore::recover(folder / "half", kSmallShards);
    EXPECT_EQ(store.written(), 4);
    EXPECT_TRUE(store.holds(3));
    EXPECT_FALSE(store.holds(7));
    EXPECT_EQ(ResultsReader(half).records(), 4);  // still there, for who reads it meanwhile
    for (const int64_t row : {9, 0, 8, 1}) store.append(example::record(row));
  }  // stopped again, by a kill
  RunStore store = RunStore::recover(folder / "half", kSmallShards);
  EXPECT_EQ(store.written(), 8);
  for (const int64_t row : {2, 7}) store.append(example::record(row));
  EXPECT_EQ(example::bytes_of(store.finish()), example::bytes_of(whole));
  const std::vector<fs::path> left(fs::directory_iterator(folder / "half"), {});
  EXPECT_THAT(left, ElementsAre(half));
}

TEST(Recover, KeepsArraysOfAFinishedRun) {
  const Folder folder;
  const std::vector<float> values = {1, 2, 3};
  const std::vector<ArrayView> arrays = {
      {"trajectories/{row}/invert", ArrayType::kFloat32, {3}, std::as_bytes(std::span(values))}};
  RunStore first(folder / "run", example::layout(3));
  first.append(example::record(2), arrays);
  first.finish();
  RunStore store = RunStore::recover(folder / "run");
  store.append(example::record(0));
  const ResultsReader results(store.finish());
  EXPECT_EQ(results.array("trajectories/1/invert").shape, std::vector<int64_t>{3});
  EXPECT_FALSE(results.has_array("trajectories/0/invert"));
}

TEST(Forget, LetsARecordBeTriedAnewAndTheNewOneCounts) {
  const Folder folder;
  finished_run(folder / "run", 6, 0, 6);
  RunStore store = RunStore::recover(folder / "run", kSmallShards);
  store.forget(1);
  store.forget(4);
  EXPECT_EQ(store.written(), 4);
  Record again = example::record(4, 5);
  again.values["psnr"] = 99.0;
  store.append(again);
  const ResultsReader results(store.finish());  // nobody tried row 1 again: it stays as it was
  EXPECT_EQ(results.records(), 6);
  EXPECT_EQ(results.numbers("psnr")[4], 99);
  EXPECT_EQ(results.numbers("psnr")[1], example::psnr_of(1));
  EXPECT_EQ(results.step_rows(), 5 * 2 + 5);
  EXPECT_EQ(std::ranges::count(results.steps().record, 4), 5);
}

TEST(Replan, MovesRecordsToTheirNewRows) {
  const Folder folder;
  finished_run(folder / "run", 6, 1, 5);
  TableLayout layout = example::layout(20);
  layout.columns.push_back({"p.seed", ColumnType::kInt64, "a new axis", "", "", ""});
  {
    RunStore store = RunStore::recover(folder / "run", kSmallShards);
    store.append(example::record(0));  // of the old plan, in the journal still
    store.replan(layout, [](Record& record) {
      record.values["p.seed"] = record.plan_row;
      record.plan_row = 19 - 3 * record.plan_row;
    });
    EXPECT_EQ(store.written(), 5);
    EXPECT_TRUE(store.holds(19));
    EXPECT_FALSE(store.holds(0));
    store.append(example::record(0));
  }
  const ResultsReader results(RunStore::recover(folder / "run", kSmallShards).finish());
  EXPECT_THAT(results.plan_rows(), ElementsAre(0, 7, 10, 13, 16, 19));
  EXPECT_THAT(results.integers("p.seed"), ElementsAre(-1, 4, 3, 2, 1, 0));
  EXPECT_EQ(results.texts("sample")[5], example::sample_of(0));
  EXPECT_EQ(results.planned_records(), 20);
  EXPECT_EQ(results.step_rows(), 12);
}

TEST(Replan, CutShortLeavesTheOldPlan) {
  const Folder folder;
  finished_run(folder / "run", 6, 0, 6);
  {
    RunStore store = RunStore::recover(folder / "run", kSmallShards);
    int moved = 0;
    EXPECT_THROW(store.replan(example::layout(8),
                              [&](Record&) {
                                if (++moved == 6) throw Error(ErrorKind::kInternal, "cut short");
                              }),
                 Error);
  }
  EXPECT_TRUE(fs::exists(folder / "run/shards-1"));
  RunStore store = RunStore::recover(folder / "run", kSmallShards);
  EXPECT_FALSE(fs::exists(folder / "run/shards-1"));
  EXPECT_EQ(store.layout().planned_records, 6);
  EXPECT_EQ(ResultsReader(store.finish()).records(), 6);
}

TEST(RunStatus, FollowsARunFromOutside) {
  const Folder folder;
  TableLayout layout = example::layout(9);
  layout.columns.push_back({"status", ColumnType::kString, "", "", "", ""});
  layout.columns.push_back({"error", ColumnType::kString, "", "", "", ""});
  layout.columns.push_back({"trial", ColumnType::kInt64, "", "", "", ""});
  const auto append = [](RunStore& store, int64_t row, bool failed) {
    Record record = example::record(row);
    record.values["status"] = std::string(failed ? "failed" : "ok");
    if (failed) record.values["error"] = std::string("NaN at step 3");
    record.values["trial"] = int64_t{row / 3};
    store.append(record);
  };
  {
    RunStore store(folder / "run", layout, kSmallShards);
    for (const int64_t row : {0, 8, 2, 5}) append(store, row, row == 5);  // a shard
    append(store, 7, true);                                               // and a journal
    store.sync();
    store.show_progress("half way");
    const RunStatus status = read_run_status(folder / "run");
    EXPECT_TRUE(status.being_written);
    EXPECT_FALSE(status.finished);
    EXPECT_EQ(status.planned, 9);
    EXPECT_EQ(status.written, 5);
    ASSERT_EQ(status.failures.size(), 2u);
    EXPECT_EQ(status.failures[0].plan_row, 5);
    EXPECT_EQ(status.failures[1].trial, 2);
    EXPECT_EQ(status.failures[1].error, "NaN at step 3");
    EXPECT_EQ(status.progress, "half way");
  }
  EXPECT_FALSE(read_run_status(folder / "run").being_written);
  {
    RunStore store = RunStore::recover(folder / "run", kSmallShards);
    store.forget(5);
    append(store, 5, false);
    store.finish();
  }
  const RunStatus status = read_run_status(folder / "run");
  EXPECT_TRUE(status.finished);
  EXPECT_EQ(status.written, 5);
  ASSERT_EQ(status.failures.size(), 1u);
  EXPECT_EQ(status.failures[0].plan_row, 7);
  EXPECT_THAT(example::error_of([&] { read_run_status(folder / "none"); }), HasSubstr("no run"));
}

}  // namespace
}  // namespace roundtrip::store
