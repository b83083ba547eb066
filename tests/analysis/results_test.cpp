// What analysis takes for results: cells, images and seeds, and the files that it refuses.
#include "analysis/table/results.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/compare/comparison.h"
#include "analysis/made_run.h"
#include "base/file.h"
#include "store/hdf5.h"
#include "support/error_of.h"

namespace roundtrip::analysis {
namespace {

using roundtrip::testing::error_of;
using roundtrip::testing::TemporaryFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

MadeRun sweep() {
  MadeRun run;
  run.trials = {{.method = "ddim", .seed = 0}, {.method = "ddim", .seed = 1}, {.method = "ddim", .w = 7.5}};
  return run;
}

TEST(Results, ReadsCellsOfImagesWithSeedsAsReplicates) {
  const TemporaryFolder folder;
  make_run(folder.path() / "night_sweep", sweep());
  const Results results(folder.path() / "night_sweep");
  EXPECT_EQ(results.name(), "night_sweep");
  ASSERT_EQ(results.cells().size(), 2u);
  EXPECT_EQ(results.cells()[0].rows.size(), 16u);
  EXPECT_THAT(results.cells()[0].trials, ElementsAre(0, 1));
  EXPECT_EQ(results.label(results.cells()[1]), "w 7.5");
  EXPECT_EQ(results.images()->size(), 8u);
  EXPECT_EQ(results.images()->text(results.image(0)), "photos/0");
  for (const char* of_record : {"trial", "sample", "seed", "input_digest", "edit"}) {
    EXPECT_EQ(std::ranges::count(results.axes(), of_record), 0);
  }
}

TEST(Results, NamesNoCellByTheScaleThatItsMethodInvertsAt) {
  const TemporaryFolder folder;
  MadeRun run;
  run.trials = {{.method = "ddim"}, {.method = "prompt_tuning"}};
  run.edit = [](const MadeTrial& trial, int64_t, store::Record& record) {
    record.values["invert_guidance_scale"] = trial.method == "ddim" ? 1.0 : 0.0;
  };
  const Results own(make_run(folder.path() / "own", run));
  EXPECT_EQ(own.label(own.cells()[1]), "prompt_tuning");
  run.trials = {{.w = 1, .seed = 0}, {.w = 1, .seed = 1}};
  run.edit = [](const MadeTrial& trial, int64_t, store::Record& record) {
    record.values["invert_guidance_scale"] = static_cast<double>(trial.seed);
  };
  const Results swept(make_run(folder.path() / "swept", run));
  EXPECT_EQ(swept.label(swept.cells()[1]), "invert w 1");
}

TEST(Results, KnowsMetricsFromCosts) {
  const TemporaryFolder folder;
  const Results results(make_run(folder.path() / "run", sweep()));
  const auto names = [](const std::vector<store::Column>& columns) {
    std::vector<std::string> all;
    for (const store::Column& column : columns) all.push_back(column.name);
    return all;
  };
  EXPECT_THAT(names(results.metrics()), ElementsAre("mse", "psnr"));
  EXPECT_THAT(names(results.costs()), ElementsAre("nfe", "grad_nfe", "seconds"));
  EXPECT_EQ(results.numbers("nfe")[0], 20);
}

TEST(Results, FailedRecordsHaveNoNumbers) {
  const TemporaryFolder folder;
  MadeRun run = sweep();
  run.edit = [](auto&, int64_t image, store::Record& record) {
    if (image == 1) record.values["status"] = std::string("failed");
  };
  const Results results(make_run(folder.path() / "run", run));
  EXPECT_EQ(results.cells()[0].failed, 2);
  EXPECT_TRUE(std::isnan(results.numbers("psnr")[1]));
  EXPECT_TRUE(std::isnan(results.numbers("nfe")[1]));
  EXPECT_EQ(results.numbers("failed")[1], 1);
}

TEST(Results, EditsOfOneImageAreDifferentImages) {
  const TemporaryFolder folder;
  MadeRun run;
  run.trials = {{.seed = 0}, {.seed = 1}};
  run.edit = [](const MadeTrial& trial, int64_t, store::Record& record) {
    record.values["task"] = std::string("edit");
    record.values["edit"] = std::string(trial.seed == 0 ? "colour" : "size");
  };
  const Results results(make_run(folder.path() / "run", run));
  EXPECT_EQ(results.images()->size(), 16u);
  EXPECT_EQ(results.images()->text(results.image(0)), "photos/0 -> colour");
}

TEST(Results, RefusesWhatIsNoRun) {
  const TemporaryFolder folder;
  EXPECT_THAT(error_of([&] { Results(folder.path() / "none"); }), HasSubstr("cannot open as HDF5"));
  EXPECT_THAT(error_of([&] { Results(folder.path()); }), HasSubstr("results.h5: cannot open as HDF5"));
  const std::string whole = read_file(make_run(folder.path() / "run", sweep()));
  EXPECT_THAT(error_of([&] { Results(folder.write("cut.h5", whole.substr(0, whole.size() / 2))); }),
              HasSubstr("cut.h5: cannot open as HDF5"));
  store::hdf5::File::create(folder.path() / "foreign.h5").close();
  EXPECT_THAT(error_of([&] { Results(folder.path() / "foreign.h5"); }), HasSubstr("no results file"));
  store::TableLayout other{.columns = {{"temperature", store::ColumnType::kFloat64, "", "K", "", ""}},
                           .attributes = {},
                           .trial_configs = {},
                           .trial_ids = {},
                           .provenance = {}};
  store::ResultsWriter(folder.path() / "other.h5", other, 0, 0).finish();
  EXPECT_THAT(error_of([&] { Results(folder.path() / "other.h5"); }),
              HasSubstr("no column 'trial'; expected the results of a"));
}

TEST(Comparison, PairsImagesAndCountsWhatItCannotPair) {
  const TemporaryFolder folder;
  const auto images = std::make_shared<Names>();
  MadeRun run = sweep();
  const Results a(make_run(folder.path() / "a", run), images);
  run.edit = [](const MadeTrial&, int64_t image, store::Record& record) {
    std::get<double>(record.values["psnr"]) += image == 7 ? -1 : 1;
    if (image == 0) record.values["status"] = std::string("failed");
  };
  run.has = [](const MadeTrial&, int64_t image) { return image != 1; };
  const Results b(make_run(folder.path() / "b", run), images);
  const Comparison found = compare_runs(a, b, {"psnr"});
  ASSERT_EQ(found.cells.size(), 2u);
  const MetricComparison& psnr = found.cells[0].metrics[0];
  EXPECT_EQ(psnr.images, 6);
  EXPECT_EQ(psnr.left_out, 1);
  EXPECT_EQ(psnr.only_a, 1);
  EXPECT_EQ(psnr.better, 5);
  EXPECT_EQ(psnr.worse, 1);
  EXPECT_NEAR(psnr.difference, 4.0 / 6, 1e-12);
  EXPECT_THAT(error_of([&] { compare_runs(a, b, {"psrn"}); }), HasSubstr("Did you mean 'psnr'?"));
}

TEST(Comparison, WithinARunMatchesTheOtherAxes) {
  const TemporaryFolder folder;
  MadeRun run;
  run.trials = {{.steps = 10, .w = 1}, {.steps = 10, .w = 7.5}, {.steps = 20, .w = 1}, {.steps = 20, .w = 7.5}};
  const Results results(make_run(folder.path() / "run", run));
  const Comparison found = compare_within(results, {{"w", "1"}}, {{"w", "7.5"}}, {"psnr"});
  ASSERT_EQ(found.cells.size(), 2u);
  EXPECT_EQ(found.cells[1].label, "20 steps, w 1 against 20 steps, w 7.5");
  EXPECT_NEAR(found.cells[0].metrics[0].difference, -3.25, 1e-9);
  EXPECT_THAT(comparison_table(found), HasSubstr("-3.25"));
}

}  // namespace
}  // namespace roundtrip::analysis
