// A whole sweep on the tiny model: from a command line to results.h5.
#include <cmath>

#include "base/file.h"
#include "base/json.h"
#include "support/empty_module_home.h"
#include "support/sweep_fixture.h"

namespace roundtrip::run {
namespace {

namespace fs = std::filesystem;

class Sweep : public testing::SweepFixture {};

TEST_F(Sweep, LeavesARowForEveryTrialAndSampleInPlanOrder) {
  const plan::Plan planned = plan({"-m", "steps=2,3", "guidance_scale=1,7.5"});
  EXPECT_EQ(planned.records, 12);
  const RunOutcome outcome = run(planned, "out");
  EXPECT_EQ(outcome.records, 12);
  EXPECT_EQ(outcome.failures.size(), 0u);
  const store::ResultsReader results(outcome.results);
  EXPECT_TRUE(results.complete());
  EXPECT_EQ(results.integers("trial"), (std::vector<int64_t>{0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3}));
  EXPECT_EQ(results.texts("sample"),
            (std::vector<std::string>{"p0", "p1", "p2", "p0", "p1", "p2", "p0", "p1", "p2", "p0", "p1", "p2"}));
  EXPECT_EQ(results.integers("steps"), (std::vector<int64_t>{2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3}));
  for (const double psnr : results.numbers("psnr")) EXPECT_TRUE(std::isfinite(psnr));
  for (const double floor : results.numbers("codec_psnr")) EXPECT_TRUE(std::isfinite(floor));
}

TEST_F(Sweep, CountsEachRecordAsIfItHadRunAlone) {
  const store::ResultsReader results(
      run(plan({"-m", "steps=4", "guidance_scale=1,7.5", "dataset.prompt=a red circle"}), "out").results);
  EXPECT_EQ(results.integers("invert_nfe"), (std::vector<int64_t>(6, 4)));
  EXPECT_EQ(results.integers("sample_nfe"), (std::vector<int64_t>{4, 4, 4, 8, 8, 8}));
}

TEST_F(Sweep, SharesPivotsAndMakesNoEvaluationTwice) {
  // Forward noise reads no eps_at: its records under both are the same work. DDIM shares pivots over guidance.
  const plan::Plan planned = plan({"-m", "method=ddim,forward_noise", "steps=4", "guidance_scale=1,7.5", "eps_at=t,t-1",
                                   "dataset.prompt=a red circle"});
  EXPECT_EQ(planned.asked.most.forward, 3 * (2 * (4 + 4) + 2 * (4 + 8) + 2 * 4 + 2 * 8));
  EXPECT_EQ(planned.made.most.forward, 3 * (2 * 4 + 2 * 4 + 2 * 8 + 4 + 8));
  const RunOutcome outcome = run(planned, "out");
  const store::ResultsReader results(outcome.results);
  EXPECT_EQ(results.provenance().at("evaluations_made"), std::to_string(planned.made.most.forward));
  const auto methods = results.texts("method");
  const auto eps_at = results.texts("eps_at");
  const auto psnr = results.numbers("psnr");
  for (size_t k = 0; k + 3 < psnr.size(); ++k) {
    if (methods[k] == "forward_noise" && eps_at[k] == "t") {
      EXPECT_EQ(psnr[k], psnr[k + 3]);
    }
  }
}

// Null-text's 10 updates a step cost sum(K + 2) rows, and its reconstruction is the fit's own path.
TEST_F(Sweep, TheTableCountsTheFit) {
  const plan::Plan planned =
      plan({"method=null_text", "steps=10", "guidance_scale=7.5", "dataset.prompt=a red circle", "dataset.limit=1",
            "method.inner_steps=10", "method.early_stop=0", "engine.max_batch=4"});
  const RunOutcome outcome = run(planned, "out");
  const store::ResultsReader results(outcome.results);
  std::istringstream table(outcome.table);
  std::string header, null_text;
  std::getline(table, header);
  std::getline(table, null_text);
  const auto cell = [&](const std::string& line, const char* column) {
    const size_t end = header.find(column) + std::string_view(column).size();  // columns are aligned right
    return std::stod(line.substr(line.find_last_of(' ', end - 1), std::string::npos));
  };
  EXPECT_EQ(cell(null_text, "NFE"), 10 + 10 * (10 + 2)) << outcome.table;
  const auto seconds = [&](const char* column) { return results.numbers(column)[0]; };
  EXPECT_NEAR(cell(null_text, "network s"),
              seconds("invert_seconds") + seconds("fit_seconds") + seconds("sample_seconds"), 5e-4);
}

TEST_F(Sweep, RunsOnAModelOfFewTrainingSteps) {
  fs::copy(ROUNDTRIP_SOURCE_DIR "/tests/golden/models/tiny-sd", folder_ / "short", fs::copy_options::recursive);
  const fs::path config = folder_ / "short/scheduler/scheduler_config.json";
  nlohmann::json scheduler = parse_json(read_file(config), "scheduler");
  scheduler["num_train_timesteps"] = 40;
  scheduler["prediction_type"] = "v_prediction";
  std::ofstream(config) << scheduler;
  for (const char* determinism : {"fast", "strict"}) {
    const RunOutcome outcome = run(plan({"model.path=" + (folder_ / "short").string(), "steps=4", "dataset.limit=1",
                                         std::string("engine.determinism=") + determinism}),
                                   determinism);
    EXPECT_EQ(outcome.records, 1);
    EXPECT_TRUE(outcome.failures.empty());
  }
}

TEST_F(Sweep, InputsOfTwoDatasetsWithEqualIdsAllCount) {
  fs::copy(folder_ / "photos", folder_ / "others");
  const std::string paths = fmt::format("dataset.path={0}/photos,{0}/others", folder_.string());
  const auto inputs_digest = [&](const std::string& name) {
    const RunOutcome outcome = run(plan({"-m", paths, "steps=2"}), name);
    return store::ResultsReader(outcome.results).provenance().at("inputs_digest");
  };
  const std::string before = inputs_digest("before");
  EXPECT_EQ(inputs_digest("again"), before);
  write_photo("p0.png", 7);
  EXPECT_NE(inputs_digest("after"), before);
}

TEST_F(Sweep, AnEmptyPromptNeedsOneRowAndIsSaid) {
  const plan::Plan planned = plan({"-m", "steps=4", "guidance_scale=1,7.5"});  // the photographs have no captions
  EXPECT_EQ(planned.asked.most.forward, 3 * 2 * 8);
  run(planned, "out");
  EXPECT_NE(log().find("guidance_scale has no effect"), std::string::npos) << log();
}

TEST_F(Sweep, SharingAndBatchingDoNotChangeStrictResults) {
  const std::vector<std::string> base = {"steps=3", "engine.determinism=strict", "engine.max_batch=4",
                                         "dataset.prompt=a red circle"};
  std::vector<std::string> together = base, alone = base;
  together.insert(together.end(), {"-m", "guidance_scale=1,3,7.5", "eps_at=t,t-1"});
  alone.insert(alone.end(), {"guidance_scale=7.5", "eps_at=t-1", "engine.max_live=1"});
  const store::ResultsReader many(run(plan(together), "many").results), one(run(plan(alone), "one").results);
  const auto w = many.numbers("guidance_scale");
  const auto eps_at = many.texts("eps_at");
  const auto mse = many.numbers("mse"), x_S = many.numbers("noise_std"), mse_alone = one.numbers("mse"),
             x_S_alone = one.numbers("noise_std");
  size_t compared = 0;
  for (size_t k = 0; k < mse.size(); ++k) {
    if (w[k] != 7.5 || eps_at[k] != "t-1") continue;
    EXPECT_EQ(mse[k], mse_alone[compared]);  // bit for bit
    EXPECT_EQ(x_S[k], x_S_alone[compared]);
    ++compared;
  }
  EXPECT_EQ(compared, 3u);
}

TEST_F(Sweep, ACorruptImageFailsItsRecordsAndNoOthers) {
  std::ofstream(folder_ / "photos" / "broken.png") << "not a png";
  const RunOutcome outcome = run(plan({"-m", "steps=2,3"}), "out");
  EXPECT_EQ(outcome.records, 8);
  EXPECT_EQ(outcome.failures.size(), 2u);
  const store::ResultsReader results(outcome.results);
  const auto status = results.texts("status"), samples = results.texts("sample"), errors = results.texts("error");
  for (size_t k = 0; k < status.size(); ++k) {
    EXPECT_EQ(status[k], samples[k] == "broken" ? "failed" : "ok");
    EXPECT_EQ(errors[k].empty(), samples[k] != "broken");
    EXPECT_EQ(std::isnan(results.numbers("psnr")[k]), samples[k] == "broken");
  }
  EXPECT_NE(log().find("sample broken"), std::string::npos) << log();
}

TEST_F(Sweep, RefusesADirectoryThatHoldsResults) {
  const plan::Plan planned = plan({"steps=2"});
  run(planned, "out");
  EXPECT_THROW(run(planned, "out"), Error);
}

TEST_F(Sweep, AStoppedRunLeavesAReadableFile) {
  int calls = 0;
  const RunOutcome outcome =
      run(plan({"-m", "steps=2,3,4", "engine.max_batch=1", "engine.max_live=1"}), "out", [&] { return ++calls > 40; });
  EXPECT_TRUE(outcome.interrupted);
  const store::ResultsReader results(outcome.results);
  EXPECT_FALSE(results.complete());
  EXPECT_EQ(results.records(), outcome.records);
  EXPECT_LT(results.records(), 9);
}

TEST_F(Sweep, KeepsTrajectoriesAndImagesWhereAsked) {
  const RunOutcome outcome =
      run(plan({"steps=3", "save.trajectories=true", "save.images=all", "dataset.limit=2"}), "out");
  const store::ResultsReader results(outcome.results);
  const store::Array invert = results.array("trajectories/1/invert"), sample = results.array("trajectories/1/sample");
  EXPECT_EQ(invert.shape, (std::vector<int64_t>{4, 4, 16, 16}));
  EXPECT_EQ(sample.shape, invert.shape);
  // The way back starts where the way up ended.
  const size_t latent = 4 * 16 * 16 * sizeof(float);
  EXPECT_TRUE(std::equal(sample.bytes.begin(), sample.bytes.begin() + latent, invert.bytes.end() - latent));
  EXPECT_EQ(results.array("images/0").shape, (std::vector<int64_t>{32, 32, 3}));
  EXPECT_EQ(results.array("sources/0").shape, (std::vector<int64_t>{32, 32, 3}));
  EXPECT_TRUE(fs::exists(folder_ / "out" / "images" / "000001.png"));
}

TEST_F(Sweep, KeepsTheWorstImagesOnly) {
  for (int k = 3; k < 7; ++k) write_photo(fmt::format("p{}.png", k), k);
  run(plan({"-m", "steps=2,3", "save.images=worst-8"}), "out");
  const auto files = std::distance(fs::directory_iterator(folder_ / "out" / "images"), fs::directory_iterator{});
  EXPECT_EQ(files, 8);
}

TEST_F(Sweep, PivotDistancesStandInPerStep) {
  const store::ResultsReader results(run(plan({"steps=3", "dataset.limit=1"}), "out").results);
  const store::StepTable steps = results.steps();
  EXPECT_EQ(steps.i, (std::vector<int64_t>{0, 1, 2, 3}));
  EXPECT_EQ(steps.t, (std::vector<double>{0, 1, 334, 667}));
  EXPECT_EQ(steps.pivot_distance[3], 0);  // sampling starts at the last pivot
  EXPECT_GT(steps.pivot_distance[0], 0);
}

TEST_F(Sweep, IsolatedTimingSharesNothingAndKnowsItsMemory) {
  const plan::Plan planned = plan({"-m", "steps=2", "guidance_scale=1,7.5", "engine.timing=isolated",
                                   "dataset.prompt=a red circle", "dataset.limit=1"});
  EXPECT_EQ(planned.made.most.forward, planned.asked.most.forward);
  const store::ResultsReader results(run(planned, "out").results);
  EXPECT_EQ(results.texts("timing"), (std::vector<std::string>(2, "isolated")));
  for (const double bytes : results.numbers("peak_memory_bytes")) EXPECT_GT(bytes, 1e6);
}

TEST_F(Sweep, SweptKeysWithoutAColumnGetOne) {
  const store::ResultsReader results(
      run(plan({"-m", "steps=2", "model.encode=mean,sample", "dataset.limit=1"}), "out").results);
  EXPECT_EQ(results.texts("p.model.encode"), (std::vector<std::string>{"mean", "sample"}));
  const auto mse = results.numbers("mse");
  EXPECT_NE(mse[0], mse[1]);  // a sample of the posterior is another latent
}

TEST_F(Sweep, AMetricWithoutItsModuleIsNaNAndSaidOnce) {
  const store::ResultsReader results(run(plan({"steps=2", "metrics=[psnr,lpips]"}), "out").results);
  for (const double lpips : results.numbers("lpips")) EXPECT_TRUE(std::isnan(lpips));
  for (const double psnr : results.numbers("psnr")) EXPECT_FALSE(std::isnan(psnr));
  EXPECT_NE(log().find("scripts/get_metric lpips-squeeze"), std::string::npos) << log();
}

TEST_F(Sweep, WhatIsWrongWithAnyTrialIsSaidBeforeTheFirstRuns) {
  EXPECT_THROW(plan({"-m", "steps=10,1001"}), Error);
  EXPECT_THROW(plan({"-m", "method=ddim", "+method.inner_steps=3"}), Error);
  EXPECT_THROW(plan({"metrics=[psnr,sim]"}), Error);
  EXPECT_THROW(plan({"dataset.size=33"}), Error);
  EXPECT_THROW(plan({"engine.device=tpu"}), Error);
  EXPECT_THROW(plan({"dataset.ids=[p9]"}), Error);
}

}  // namespace
}  // namespace roundtrip::run
