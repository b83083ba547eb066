// Many records: what is written in words for ten must hold for a million. The test runs on a few thousand;
// tests/benchmarks/analysis_scale.py has it write a million and times the program on them.
#include <cstdlib>

#include <gtest/gtest.h>

#include "analysis/gate/gate.h"
#include "analysis/made_run.h"
#include "analysis/report/report.h"

namespace roundtrip::analysis {
namespace {

// Five methods, steps and guidance scales that vary, a thousand images or fewer.
void write_run(const std::filesystem::path& file, int64_t records) {
  const int64_t images = std::min<int64_t>(1000, records / 10);
  const store::TableLayout layout{.columns = columns::table_columns({}, MadeRun{}.metrics),
                                  .attributes = {},
                                  .trial_configs = std::vector<std::string>(records / images, "steps: 10\n"),
                                  .trial_ids = {},
                                  .provenance = MadeRun{}.provenance,
                                  .planned_records = records};
  store::ResultsWriter writer(file, layout, records, 0);
  constexpr const char* kMethods[] = {"ddim", "null_text", "negative_prompt", "edict", "belm"};
  for (int64_t trial = 0; trial < records / images; ++trial) {
    const MadeTrial made{.method = kMethods[trial % 5], .steps = 5 * (1 + trial / 5 % 10), .w = 1.0 + trial / 50};
    store::TableBlock block = block_of(layout.columns);
    for (int64_t image = 0; image < images; ++image) {
      store::Record record = made_record(made, trial, image, trial * images + image);
      std::get<double>(record.values["psnr"]) -= 0.01 * hashed(image, trial);
      record.steps.clear();
      append(record, layout.columns, block);
    }
    writer.write(block);
  }
  writer.finish();
}

TEST(Scale, ReportsAndGatesManyRecords) {
  const roundtrip::testing::TemporaryFolder temporary;
  const char* folder_wanted = std::getenv("ROUNDTRIP_SCALE_FOLDER");
  const std::filesystem::path folder = folder_wanted == nullptr ? temporary.path() : folder_wanted;
  const int64_t records = folder_wanted == nullptr ? 5000 : 1'000'000;
  write_run(folder / "run.h5", records);
  write_run(folder / "baseline.h5", records);
  if (folder_wanted != nullptr) return;

  const auto run = std::make_shared<const Results>(folder / "run.h5");
  const auto baseline = std::make_shared<const Results>(folder / "baseline.h5", run->images());
  EXPECT_EQ(judge_run(*baseline, *run, {}).exit_code(), 0);
  const std::string page = report_html({run}, {.baseline = baseline});
  EXPECT_LT(page.size(), 5u << 20);
  EXPECT_NE(page.find("<span class=\"value\">5000</span> records"), std::string::npos);
}

}  // namespace
}  // namespace roundtrip::analysis
