#include "analysis/table/run_table.h"

#include <gtest/gtest.h>

#include "analysis/made_run.h"
#include "analysis/table/measures.h"

namespace roundtrip::analysis {
namespace {

std::vector<std::map<std::string, store::Value>> settings_of(const MadeRun& run) {
  std::vector<std::map<std::string, store::Value>> settings;
  for (const MadeTrial& trial : run.trials) {
    settings.push_back({{"method", trial.method}, {"steps", trial.steps}, {"guidance_scale", trial.w}});
  }
  return settings;
}

// The fit is part of what a method costs.
TEST(RunTable, SumsAllStagesAndShowsTheAxesThatVary) {
  roundtrip::testing::TemporaryFolder folder;
  MadeRun run{
      .trials = {{.method = "null_text", .steps = 10, .w = 7.5}, {.method = "null_text", .steps = 20, .w = 7.5}},
      .images = 2};
  run.edit = [](const MadeTrial& trial, int64_t image, store::Record& record) {
    record.values["psnr"] = image == 0 ? 20.0 : std::numeric_limits<double>::infinity();
    record.values["mse"] = 0.25;
    record.values["fit_nfe"] = int64_t{100};
    record.values["fit_seconds"] = 1.0;
    record.values["invert_seconds"] = record.values["sample_seconds"] = 0.5;
    if (trial.steps == 20 && image == 1) {
      record.values["status"] = std::string("failed");
      record.values["error"] = std::string("no");
    }
  };
  const RunTable table = read_run_table(store::ResultsReader(make_run(folder.path(), run)), settings_of(run));
  EXPECT_EQ(table.text,
            "method     steps        images      mse            psnr  NFE  network s\n"
            "null_text     10             2  0.25000  20.00 (+1 inf)  130      2.000\n"
            "null_text     20  1 (1 failed)  0.25000           20.00  160      2.000\n");
  EXPECT_EQ(table.records, 4);
  ASSERT_EQ(table.failures.size(), 1u);
  EXPECT_EQ(table.failures[0].trial, 1u);
  EXPECT_EQ(table.failures[0].error, "no");
}

TEST(RunTable, HasALineForATrialWithoutRecords) {
  roundtrip::testing::TemporaryFolder folder;
  MadeRun run{.trials = {{.steps = 10}, {.steps = 20}}, .images = 1};
  run.has = [](const MadeTrial& trial, int64_t) { return trial.steps == 10; };
  const RunTable table = read_run_table(store::ResultsReader(make_run(folder.path(), run)), settings_of(run));
  EXPECT_NE(table.text.find("\nddim       20       0        -"), std::string::npos) << table.text;
}

store::Column column_of(const char* name) {
  return {.name = name,
          .type = store::ColumnType::kFloat64,
          .long_name = "",
          .units = "",
          .direction = "lower",
          .version = ""};
}

// Files of versions that wrote no attributes read as if they had; a column that says what it is keeps its words.
TEST(Measures, OfOldFilesAreCompleted) {
  store::Column column = column_of("background_zeroed_lpips");
  complete_measure(column);
  EXPECT_EQ(column.label, "zeroed background LPIPS");
  EXPECT_EQ(column.metric, "lpips");
  EXPECT_EQ(column.view, "background_zeroed");
  EXPECT_TRUE(column.perceptual);
  column = column_of("latent_mse");
  complete_measure(column);
  EXPECT_EQ(column.compares, "latents");
  EXPECT_TRUE(column.log_axis);
  column = column_of("psnr");
  column.metric = "psnr";
  column.label = "ratio";
  complete_measure(column);
  EXPECT_EQ(measure_name(column), "ratio");
  column = column_of("my_score");
  complete_measure(column);
  EXPECT_EQ(measure_name(column), "my score");
  EXPECT_TRUE(column.metric.empty());
}

}  // namespace
}  // namespace roundtrip::analysis
