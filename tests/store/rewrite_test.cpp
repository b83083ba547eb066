// A results file with other columns: all else as it was, and nothing where it fails half way.
#include "store/rewrite.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/example.h"

namespace roundtrip::store {
namespace {

using example::error_of;
using example::Folder;

std::filesystem::path finished_run(const Folder& folder) {
  RunStore store(folder / "run", example::layout(20));
  for (int64_t row = 0; row < 20; ++row) {
    if (row == 5) continue;
    const std::vector<std::byte> bytes(12, static_cast<std::byte>(row));
    const std::vector<ArrayView> arrays = {
        {.path = "images/{row}", .type = ArrayType::kUint8, .shape = {2, 2, 3}, .bytes = bytes},
        {.path = "paths/{row}/there", .type = ArrayType::kFloat32, .shape = {3}, .bytes = bytes}};
    store.append(example::record(row), row % 3 == 0 ? arrays : std::vector<ArrayView>());
  }
  return store.finish();
}

TEST(Rewrite, OfTheSameRecordsGivesTheSameBytes) {
  const Folder folder;
  const std::filesystem::path run = finished_run(folder);
  const TableLayout layout = layout_of(ResultsReader(run));
  const auto keep = [](int64_t, Record&) {};
  rewrite_results(run, layout, keep, folder / "one.h5");
  rewrite_results(folder / "one.h5", layout, keep, folder / "two.h5");
  EXPECT_EQ(example::bytes_of(folder / "one.h5"), example::bytes_of(folder / "two.h5"));
}

TEST(Rewrite, GivesRecordsTheValuesOfTheNewColumns) {
  const Folder folder;
  const std::filesystem::path run = finished_run(folder);
  const ResultsReader was(run);
  TableLayout layout = layout_of(was);
  layout.columns.push_back({"row", ColumnType::kInt64, "the row", "", "", ""});
  std::erase_if(layout.columns, [](const Column& column) { return column.name == "steps"; });
  const auto change = [](int64_t row, Record& record) { record.values["row"] = row; };
  rewrite_results(run, layout, change, folder / "other.h5");
  const ResultsReader is(folder / "other.h5");
  EXPECT_FALSE(is.has("steps"));
  EXPECT_EQ(is.records(), 19);
  EXPECT_FALSE(is.complete());
  for (int64_t row = 0; row < 19; ++row) EXPECT_EQ(is.integers("row")[row], row);
  EXPECT_EQ(is.texts("sample"), was.texts("sample"));
  EXPECT_EQ(is.plan_rows(), was.plan_rows());
  for (int64_t row = 0; row < 19; ++row) EXPECT_EQ(is.array_paths(row), was.array_paths(row));
}

TEST(Rewrite, LeavesNothingWhereItFails) {
  const Folder folder;
  const std::filesystem::path run = finished_run(folder);
  const std::string before = example::bytes_of(run);
  const TableLayout layout = layout_of(ResultsReader(run));
  const auto change = [](int64_t row, Record&) {
    if (row == 11) throw input_error("row 11", "is not wanted");
  };
  EXPECT_EQ(error_of([&] { rewrite_results(run, layout, change, folder / "new.h5"); }), "row 11: is not wanted");
  const std::filesystem::directory_iterator files(run.parent_path().parent_path());
  EXPECT_EQ(std::distance(begin(files), end(files)), 1) << "the run alone";
  EXPECT_EQ(example::bytes_of(run), before);
}

}  // namespace
}  // namespace roundtrip::store
