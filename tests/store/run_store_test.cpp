// A run from its first record to results.h5, read back by our own reader.
#include "store/run_store.h"

#include <algorithm>
#include <numeric>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "columns/columns.h"
#include "store/example.h"
#include "store/results_reader.h"

namespace roundtrip::store {
namespace {

using example::error_of;
using example::Folder;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
namespace fs = std::filesystem;

std::vector<int64_t> shuffled(int64_t count, unsigned seed) {
  std::vector<int64_t> rows(count);
  std::iota(rows.begin(), rows.end(), 0);
  std::shuffle(rows.begin(), rows.end(), std::mt19937(seed));
  return rows;
}

std::span<const std::byte> as_bytes(const auto& values) { return std::as_bytes(std::span(values)); }

TEST(RunStore, BringsRecordsIntoPlanOrder) {
  const Folder folder;
  RunStore store(folder / "run", example::layout(5000));
  for (const int64_t row : shuffled(5000, 1)) store.append(example::record(row));
  EXPECT_EQ(store.written(), 5000);
  const ResultsReader results(store.finish());

  EXPECT_EQ(results.records(), 5000);
  EXPECT_EQ(results.planned_records(), 5000);
  EXPECT_TRUE(results.complete());
  const auto samples = results.texts("sample");
  const auto psnr = results.numbers("psnr");
  const auto plan_rows = results.plan_rows();
  const StepTable steps = results.steps();
  ASSERT_EQ(steps.size(), 10000u);
  for (int64_t row = 0; row < 5000; ++row) {
    ASSERT_EQ(samples[row], example::sample_of(row));
    ASSERT_EQ(psnr[row], example::psnr_of(row));  // to the last bit, infinities too
    ASSERT_EQ(plan_rows[row], row);
    ASSERT_EQ(steps.record[2 * row], row);
    ASSERT_EQ(steps.i[2 * row + 1], 2);
    ASSERT_EQ(steps.t[2 * row + 1], 200);
    ASSERT_EQ(steps.pivot_distance[2 * row], 0.5);
    ASSERT_TRUE(std::isnan(steps.loss[2 * row]));
    ASSERT_EQ(steps.inner_steps[2 * row], -1);
  }
}

TEST(RunStore, LeavesNothingButTheResults) {
  const Folder folder;
  RunStore store(folder / "run", example::layout(10), {.records_per_shard = 4});
  for (int64_t row = 0; row < 10; ++row) store.append(example::record(row));
  EXPECT_TRUE(fs::exists(folder / "run/shards/0001.h5"));
  store.finish();
  const std::vector<fs::path> left(fs::directory_iterator(folder / "run"), {});
  EXPECT_THAT(left, ElementsAre(folder / "run/results.h5"));
}

TEST(RunStore, WritesLabels) {
  const Folder folder;
  RunStore store(folder / "run", example::layout(1));
  store.set_provenance("finished", "late\xFF");
  const ResultsReader results(store.finish());
  ASSERT_EQ(results.columns().size(), 3u);
  const Column& psnr = results.columns()[2];
  EXPECT_EQ(psnr.name, "psnr");
  EXPECT_EQ(psnr.type, ColumnType::kFloat64);
  EXPECT_EQ(psnr.long_name, "peak signal-to-noise ratio");
  EXPECT_EQ(psnr.units, "dB");
  EXPECT_EQ(psnr.direction, "higher");
  EXPECT_EQ(psnr.version, "psnr-1");
  EXPECT_EQ(results.columns()[0].units, "");
  EXPECT_THAT(results.attributes(), ElementsAre(testing::Pair("title", "an example")));
  EXPECT_THAT(results.provenance(),
              ElementsAre(testing::Pair("finished", "late\xEF\xBF\xBD"), testing::Pair("host", "nowhere")));
  EXPECT_EQ(results.trial_configs(), example::layout(1).trial_configs);
}

TEST(RunStore, KeepsTextsBeyondTheSizeOfAnHdf5Header) {
  const Folder folder;
  TableLayout layout = example::layout(0);
  layout.provenance["git_diff"] = std::string(200'000, 'x') + "end";
  RunStore store(folder / "run", layout);
  EXPECT_EQ(ResultsReader(store.finish()).provenance().at("git_diff"), layout.provenance["git_diff"]);
}

TEST(RunStore, WritesMissingValuesAsSuch) {
  const Folder folder;
  RunStore store(folder / "run", example::layout(2));
  store.append({.plan_row = 0, .values = {}, .steps = {}});
  store.append({.plan_row = 1, .values = {{"sample", {}}, {"steps", {}}, {"psnr", {}}}, .steps = {}});
  const ResultsReader results(store.finish());
  EXPECT_THAT(results.texts("sample"), ElementsAre("", ""));
  EXPECT_THAT(results.integers("steps"), ElementsAre(-1, -1));
  EXPECT_THAT(results.numbers("steps"), testing::Each(testing::IsNan()));
  EXPECT_THAT(results.numbers("psnr"), testing::Each(testing::IsNan()));
  EXPECT_EQ(results.step_rows(), 0);
}

TEST(RunStore, FinishesWithoutRecords) {
  const Folder folder;
  for (const int64_t planned : {0, 3}) {
    RunStore store(folder / std::to_string(planned), example::layout(planned));
    const ResultsReader results(store.finish());
    EXPECT_EQ(results.records(), 0);
    EXPECT_EQ(results.complete(), planned == 0);
    EXPECT_TRUE(results.texts("sample").empty());
    EXPECT_EQ(results.steps().size(), 0u);
    EXPECT_EQ(results.trial_configs().size(), 2u);
  }
}

TEST(RunStore, SaysWhatAnInterruptedRunLacks) {
  const Folder folder;
  RunStore store(folder / "run", example::layout(100), {.records_per_shard = 3});
  for (const int64_t row : {90, 5, 41, 7}) store.append(example::record(row, 1));
  const ResultsReader results(store.finish());
  EXPECT_EQ(results.planned_records(), 100);
  EXPECT_FALSE(results.complete());
  EXPECT_THAT(results.plan_rows(), ElementsAre(5, 7, 41, 90));
  EXPECT_EQ(results.texts("sample")[2], example::sample_of(41));
  EXPECT_THAT(results.steps().record, ElementsAre(0, 1, 2, 3));
}

TEST(RunStore, RoundTripsArraysUnderTheirFinalRow) {
  const Folder folder;
  RunStore store(folder / "run", example::layout(4), {.records_per_shard = 2});
  for (const int64_t row : {3, 0, 2}) {  // row 1 never comes: rows 2 and 3 become 1 and 2
    const std::vector<float> path = {static_cast<float>(row), -0.f, 1e-42f, INFINITY, 4, 5};
    std::vector<uint8_t> image(5 * 4 * 3);
    std::iota(image.begin(), image.end(), static_cast<uint8_t>(row));
    const std::vector<ArrayView> arrays = {
        {"trajectories/{row}/invert", ArrayType::kFloat32, {3, 1, 1, 2}, as_bytes(path)},
        {"trajectories/{row}/empty", ArrayType::kFloat32, {0, 7}, {}},
        {"images/{row}", ArrayType::kUint8, {5, 4, 3}, as_bytes(image)}};
    store.append(example::record(row), arrays);
  }
  const ResultsReader results(store.finish());
  EXPECT_THAT(results.array_paths(2),
              testing::UnorderedElementsAre("trajectories/2/invert", "trajectories/2/empty", "images/2"));
  EXPECT_TRUE(results.array_paths(3).empty());
  EXPECT_TRUE(results.has_array("images") && results.has_array("images/2"));
  EXPECT_FALSE(results.has_array("images/3") || results.has_array("pictures/2"));
  const Array path = results.array("trajectories/2/invert");
  EXPECT_EQ(path.type, ArrayType::kFloat32);
  EXPECT_THAT(path.shape, ElementsAre(3, 1, 1, 2));
  const std::vector<float> expected = {3, -0.f, 1e-42f, INFINITY, 4, 5};
  EXPECT_TRUE(std::ranges::equal(path.bytes, as_bytes(expected)));
  const Array image = results.array("images/1");
  EXPECT_EQ(image.type, ArrayType::kUint8);
  EXPECT_THAT(image.shape, ElementsAre(5, 4, 3));
  EXPECT_EQ(image.bytes.front(), std::byte{2});
  EXPECT_EQ(image.bytes.back(), std::byte{61});
  EXPECT_THAT(results.array("trajectories/0/empty").shape, ElementsAre(0, 7));
}

// The bytes of a run of 300 records appended in a shuffled order.
std::string run_bytes(const fs::path& directory, unsigned order) {
  RunStore store(directory, example::layout(300), {.records_per_shard = 64, .merge_memory = 20'000});
  for (const int64_t row : shuffled(300, order)) {
    const std::vector<float> values(500, static_cast<float>(row));
    const std::vector<ArrayView> arrays = {
        {"trajectories/{row}/invert", ArrayType::kFloat32, {5, 100}, as_bytes(values)}};
    store.append(example::record(row), arrays);
  }
  return example::bytes_of(store.finish());
}

TEST(RunStore, WritesEqualBytesWhateverFinishedFirst) {
  const Folder folder;
  const std::string first = run_bytes(folder / "a", 1);
  ASSERT_GT(first.size(), 10'000u);
  EXPECT_TRUE(first == run_bytes(folder / "b", 1));
  EXPECT_TRUE(first == run_bytes(folder / "c", 2));
}

// A stretch of records reaches its shard from memory, or after a kill from its journal.
TEST(RunStore, WritesEqualBytesFromMemoryAndFromTheJournal) {
  const Folder folder;
  std::vector<Record> records(4);
  for (int64_t row = 0; row < 4; ++row) records[row] = example::record(3 - row, static_cast<int>(row));
  records[0].values["psnr"] = -example::kNaN;
  records[1].values["psnr"] = int64_t{17};
  records[2].values["sample"] = std::string("a\xFF") + '\0' + "b";
  records[3].values.erase("sample");
  records[3].steps[0].loss = -example::kNaN;
  const auto append = [&](RunStore& store) {
    for (const Record& record : records) store.append(record);
  };
  RunStore whole(folder / "whole", example::layout(4));
  append(whole);
  {
    RunStore killed(folder / "killed", example::layout(4));
    append(killed);
  }
  EXPECT_EQ(example::bytes_of(RunStore::recover(folder / "killed").finish()), example::bytes_of(whole.finish()));
}

TEST(RunStore, MakesAShardOfFewerRecordsWhereTheyAreLarge) {
  const Folder folder;
  RunStore long_walks(folder / "memory", example::layout(10), {.shard_memory = 15'000});
  for (int64_t row = 0; row < 10; ++row) long_walks.append(example::record(row, 200));
  EXPECT_EQ(long_walks.shards().size(), 5u);  // 48 bytes a step
  EXPECT_EQ(ResultsReader(long_walks.finish()).step_rows(), 2000);

  const std::vector<float> values(100);
  const std::vector<ArrayView> arrays = {{"images/{row}", ArrayType::kFloat32, {100}, as_bytes(values)}};
  RunStore pictures(folder / "arrays", example::layout(10), {.shard_arrays = 1000});
  for (int64_t row = 0; row < 10; ++row) pictures.append(example::record(row), arrays);
  EXPECT_EQ(pictures.shards().size(), 3u);
  EXPECT_EQ(ResultsReader(pictures.finish()).records(), 10);
}

TEST(RunStore, FindsAnArrayThatChangedBeforeItsShardWasMade) {
  const Folder folder;
  RunStore store(folder / "run", example::layout(1));
  const std::vector<float> values(10, 1.F);
  const std::vector<ArrayView> arrays = {{"images/{row}", ArrayType::kFloat32, {10}, as_bytes(values)}};
  store.append(example::record(0), arrays);
  example::write_bytes(folder / "run/journal/0000.arrays", std::string(40, 'x'));
  EXPECT_THAT(error_of([&] { store.finish(); }), HasSubstr("0000.arrays: images/{row} has changed"));
}

TEST(RunStore, ReadsShardsAsItReadsResults) {
  const Folder folder;
  RunStore store(folder / "run", example::layout(40), {.records_per_shard = 20});
  for (const int64_t row : shuffled(20, 4)) store.append(example::record(row));
  const ResultsReader shard(store.shards().at(0));
  EXPECT_EQ(shard.columns()[0].type, ColumnType::kString);
  EXPECT_EQ(shard.texts("sample", 19), std::vector{example::sample_of(19)});
  EXPECT_EQ(shard.texts("sample", 3, 2), (std::vector{example::sample_of(3), example::sample_of(4)}));
  EXPECT_TRUE(shard.texts("sample", 20).empty());
  const std::vector<int64_t> rows = {7, 2, 7};
  EXPECT_EQ(shard.texts_at("sample", rows),
            (std::vector{example::sample_of(7), example::sample_of(2), example::sample_of(7)}));
  const std::vector<int64_t> beyond = {20};
  EXPECT_THAT(error_of([&] { shard.texts_at("sample", beyond); }), HasSubstr("a row out of range"));
  EXPECT_THAT(error_of([&] { shard.integers("sample"); }), HasSubstr("a column of text; expected int64"));
  EXPECT_THAT(error_of([&] { shard.numbers("sample"); }), HasSubstr("a column of text; expected numbers"));
  EXPECT_TRUE(shard.array_paths(0).empty());
}

TEST(RunStore, MendsTextThatIsNotUtf8) {
  const Folder folder;
  RunStore store(folder / "run", example::layout(1));
  Record record = example::record(0);
  record.values["sample"] = std::string("a\xFF") + '\0' + "b";
  store.append(record);
  EXPECT_EQ(ResultsReader(store.finish()).texts("sample")[0],
            "a\xEF\xBF\xBD\xEF\xBF\xBD"
            "b");
}

TEST(RunStore, RefusesADirectoryThatHoldsResults) {
  const Folder folder;
  RunStore(folder / "run", example::layout(0)).finish();
  const std::string before = example::bytes_of(folder / "run/results.h5");
  EXPECT_THAT(error_of([&] { RunStore(folder / "run", example::layout(0)); }),
              AllOf(HasSubstr((folder / "run").string() + ": holds results.h5 already"), HasSubstr("hydra.run.dir")));
  EXPECT_TRUE(before == example::bytes_of(folder / "run/results.h5"));
}

TEST(RunStore, RefusesADirectoryWithAnUnfinishedRun) {
  const Folder folder;
  {
    RunStore store(folder / "run", example::layout(1));
  }
  EXPECT_THAT(error_of([&] { RunStore(folder / "run", example::layout(1)); }), HasSubstr("holds an unfinished run"));
}

TEST(RunStore, TakesADirectoryWithOtherFiles) {
  const Folder folder;
  fs::create_directories(folder / "run/.hydra");
  RunStore(folder / "run", example::layout(0)).finish();
  EXPECT_TRUE(fs::exists(folder / "run/.hydra"));
}

TEST(RunStore, RefusesAFileInItsPlace) {
  const Folder folder;
  example::write_bytes(folder / "run", "in the way");
  EXPECT_THAT(error_of([&] { RunStore(folder / "run", example::layout(0)); }), HasSubstr("cannot create"));
  EXPECT_EQ(example::bytes_of(folder / "run"), "in the way");
}

TEST(RunStore, HoldsRecordsAgainstTheLayout) {
  const Folder folder;
  RunStore store(folder / "run", example::layout(3));
  store.append(example::record(0));
  EXPECT_THAT(error_of([&] { store.append(example::record(0)); }), HasSubstr("plan row 0 is appended once"));
  EXPECT_THAT(error_of([&] { store.append(example::record(3)); }), HasSubstr("in the plan"));
  EXPECT_THAT(error_of([&] { store.append({1, {{"ssim", 1.0}}, {}}); }), HasSubstr("'ssim' is a column"));
  EXPECT_THAT(error_of([&] { store.append({1, {{"steps", 1.5}}, {}}); }), HasSubstr("'steps' is of the column's"));
  const std::vector<ArrayView> short_array = {{"images/{row}", ArrayType::kUint8, {2, 2, 3}, {}}};
  EXPECT_THAT(error_of([&] { store.append({1, {}, {}}, short_array); }), HasSubstr("as many bytes"));
  const std::vector<ArrayView> misplaced = {{"images", ArrayType::kUint8, {0}, {}}};
  EXPECT_THAT(error_of([&] { store.append({1, {}, {}}, misplaced); }), HasSubstr("'images' is"));
  EXPECT_EQ(store.written(), 1);
  EXPECT_TRUE(store.holds(0));
  EXPECT_FALSE(store.holds(1));
  EXPECT_EQ(ResultsReader(store.finish()).records(), 1);
}

TEST(RunStore, HoldsLayoutsAgainstItsOwnNames) {
  const Folder folder;
  for (const char* name : {"record", "psnr", "a/b", ""}) {
    TableLayout layout = example::layout(0);
    layout.columns.push_back({name, ColumnType::kFloat64, "", "", "", ""});
    EXPECT_NE(error_of([&] { RunStore(folder / "run", layout); }), "") << name;
    EXPECT_FALSE(fs::exists(folder / "run"));
  }
}

TEST(RunStore, MergesMoreShardsThanItKeepsOpen) {
  const Folder folder;
  RunStore store(folder / "run", example::layout(70), {.records_per_shard = 1, .merge_memory = 4000});
  for (const int64_t row : shuffled(70, 3)) {
    const std::vector<float> value = {static_cast<float>(row)};
    const std::vector<ArrayView> arrays = {{"images/{row}", ArrayType::kFloat32, {1}, as_bytes(value)}};
    store.append(example::record(row), arrays);
  }
  const ResultsReader results(store.finish());
  ASSERT_EQ(results.records(), 70);
  for (int64_t row = 0; row < 70; ++row) {
    const std::vector<float> value = {static_cast<float>(row)};
    EXPECT_TRUE(std::ranges::equal(results.array("images/" + std::to_string(row)).bytes, as_bytes(value)));
    EXPECT_EQ(results.texts("sample", row, 1)[0], example::sample_of(row));
    EXPECT_EQ(results.steps(2 * row, 1).record[0], row);
  }
}

TEST(Columns, StandInTheTablesOrderUnderNamesOfTheirOwn) {
  const std::vector<Column> swept = {{"p.inner_steps", ColumnType::kInt64, "", "", "", ""}};
  const std::vector<Column> metrics = {{"psnr", ColumnType::kFloat64, "", "dB", "higher", "1"}};
  const Folder folder;
  TableLayout layout = example::layout(0);
  layout.columns = columns::table_columns(swept, metrics);
  const ResultsReader results(RunStore(folder / "run", layout).finish());  // the store refuses double names
  std::vector<std::string> names;
  for (const Column& column : results.columns()) {
    names.push_back(column.name);
    EXPECT_TRUE(column.direction.empty() || column.direction == "lower" || column.direction == "higher");
  }
  const auto place = [&](const char* name) { return std::ranges::find(names, name) - names.begin(); };
  EXPECT_EQ(place("trial"), 0);
  EXPECT_EQ(place("p.inner_steps"), place("edit_type") + 1);
  EXPECT_EQ(place("status"), place("p.inner_steps") + 1);
  EXPECT_EQ(place("psnr"), place("error") + 1);
  EXPECT_EQ(place("noise_kl") + 1, static_cast<int64_t>(names.size()));
}

TEST(Columns, KeepHowTheyAreShownInJournalAndFile) {
  const Folder folder;
  TableLayout layout = example::layout(1);
  Column& psnr = layout.columns[2];
  psnr.label = "codec PSNR";
  psnr.digits = 2;
  psnr.log_axis = psnr.perceptual = true;
  psnr.order = 4;
  psnr.metric = "psnr";
  psnr.compares = "pictures";
  psnr.view = "codec";
  RunStore(folder / "run", layout).append(example::record(0), {});
  RunStore store = RunStore::recover(folder / "run");
  const ResultsReader results(store.finish());
  for (const Column& found : {store.layout().columns[2], results.columns()[2]}) {
    EXPECT_EQ(found.label, "codec PSNR");
    EXPECT_EQ(found.digits, 2);
    EXPECT_TRUE(found.log_axis && found.perceptual);
    EXPECT_EQ(found.order, 4);
    EXPECT_EQ(found.metric + found.compares + found.view, "psnrpicturescodec");
  }
  const Column& steps = results.columns()[1];  // says nothing of it
  EXPECT_EQ(steps.label + steps.metric + steps.compares + steps.view, "");
  EXPECT_EQ(steps.digits, -1);
  EXPECT_EQ(steps.order, kLastOrder);
}

// Leaves a results file for tests/parity/results_file_test.py, where the environment says.
TEST(RunStore, WritesAnExampleForOtherReaders) {
  const char* target = std::getenv("ROUNDTRIP_EXAMPLE_RESULTS");
  const Folder folder;
  TableLayout layout = example::layout(4);
  const std::vector<Column> swept = {{"p.inner_steps", ColumnType::kInt64, "inner_steps", "", "", ""}};
  const std::vector<Column> metrics = {layout.columns[2]};
  layout.columns = columns::table_columns(swept, metrics);
  RunStore store(folder / "run", layout);
  for (const int64_t row : {2, 0, 1}) {
    Record record = example::record(row);
    record.values["encode_seconds"] = 0.25;
    record.values["trial"] = row % 2;
    if (row == 1) record.values.erase("psnr");
    if (row == 1) record.values.erase("steps");
    std::vector<uint8_t> image(2 * 3 * 3);
    std::iota(image.begin(), image.end(), uint8_t{0});
    const std::vector<float> path = {0, 1, 2, 3, 4, 5, 6, static_cast<float>(row)};
    const std::vector<ArrayView> arrays = {
        {"trajectories/{row}/invert", ArrayType::kFloat32, {2, 1, 2, 2}, as_bytes(path)},
        {"images/{row}", ArrayType::kUint8, {2, 3, 3}, as_bytes(image)}};
    store.append(record, arrays);
  }
  const fs::path results = store.finish();
  EXPECT_EQ(ResultsReader(results).records(), 3);
  if (target) fs::copy_file(results, target, fs::copy_options::overwrite_existing);
}

}  // namespace
}  // namespace roundtrip::store
