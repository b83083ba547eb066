// Methods that fit something, through whole runs: what stands in the records, and what is shared.
#include "support/sweep_fixture.h"

namespace roundtrip::run {
namespace {

class Methods : public testing::SweepFixture {
 protected:
  store::ResultsReader results(std::vector<std::string> words, const std::string& name = "out") const {
    words.insert(words.end(), {"dataset.prompt=a red circle", "engine.max_batch=4"});
    return store::ResultsReader(run(plan(words), name).results);
  }
  void write_captions() const {
    std::ofstream file(folder_ / "photos" / "metadata.jsonl");
    file << R"({"file_name": "p0.png", "text": "a red circle", "target_text": "a blue circle"})" << "\n"
         << R"({"file_name": "p1.png", "text": "a red circle"})" << "\n";
  }
};

TEST_F(Methods, EachStepsFitStandsInPerStep) {
  const store::ResultsReader read =
      results({"method=null_text", "steps=4", "guidance_scale=7.5", "method.inner_steps=3", "dataset.limit=1"});
  const store::StepTable steps = read.steps();
  EXPECT_EQ(steps.i, (std::vector<int64_t>{0, 1, 2, 3, 4}));
  EXPECT_EQ(steps.inner_steps, (std::vector<int64_t>{-1, 3, 3, 3, 3}));
  EXPECT_TRUE(std::isnan(steps.loss[0]));
  for (int i = 1; i <= 4; ++i) EXPECT_GT(steps.loss[i], 0) << "i = " << i;
  // Each step's last loss is of the walk before its last update: close to where the walk then went.
  for (int i = 1; i <= 4; ++i) {
    const double squared = steps.pivot_distance[i - 1] * steps.pivot_distance[i - 1];
    EXPECT_NEAR(squared / steps.loss[i], 1, 0.2) << "i = " << i;
  }
}

TEST_F(Methods, CostOfAFitStandsByItself) {
  const store::ResultsReader read = results(
      {"-m", "method=null_text,prompt_tuning,negative_prompt", "steps=4", "guidance_scale=7.5", "dataset.limit=1"});
  const auto steps = read.steps();
  EXPECT_EQ(read.integers("invert_nfe"), (std::vector<int64_t>{4, 4, 4}));
  EXPECT_EQ(read.integers("sample_nfe"), (std::vector<int64_t>{0, 0, 4}));
  const auto fit = read.integers("fit_nfe"), grad = read.integers("grad_nfe"), state = read.integers("state_bytes");
  for (const int k : {0, 1}) {
    EXPECT_EQ(fit[k], grad[k] + 2 * 4);
    EXPECT_EQ(grad[k], 4 * 10);  // far from any threshold on random weights
    EXPECT_EQ(state[k] - state[2], int64_t{4} * 77 * 32 * 4);
  }
  EXPECT_EQ(fit[2], 0);
  for (const double seconds : {read.numbers("fit_seconds")[0], read.numbers("fit_seconds")[1]}) EXPECT_GT(seconds, 0);
}

TEST_F(Methods, PivotsAreSharedAcrossMethodsAndFitsOverNothing) {
  const plan::Plan planned = plan({"-m", "method=ddim,null_text,negative_prompt", "steps=4", "guidance_scale=3,7.5",
                                   "dataset.prompt=a red circle", "dataset.limit=1", "engine.max_batch=4"});
  const int64_t fit = 4 * (10 + 2), sampled = 2 * 8 + 2 * 4;  // null-text's way back is its fit's
  EXPECT_EQ(planned.asked.most.forward, 6 * 4 + 2 * fit + sampled);
  EXPECT_EQ(planned.made.most.forward, 4 + 2 * fit + sampled);
  EXPECT_EQ(planned.made.most.backward, 2 * 4 * 10);
  EXPECT_FALSE(planned.made.exact());
  const store::ResultsReader read(run(planned, "out").results);
  EXPECT_EQ(read.integers("invert_nfe"), (std::vector<int64_t>(6, 4)));  // charged to each as if alone
  EXPECT_EQ(read.integers("sample_nfe"), (std::vector<int64_t>{8, 8, 0, 0, 4, 4}));
}

TEST_F(Methods, AnEditSamplesUnderTheTargetPrompt) {
  write_captions();
  const store::ResultsReader read = results({"-m", "method=ddim,negative_prompt,null_text,prompt_tuning", "task=edit",
                                             "steps=2", "guidance_scale=3", "dataset.limit=2"});
  EXPECT_EQ(read.texts("task")[0], "edit");
  EXPECT_EQ(read.texts("edit")[0], "a blue circle");
  // One of the two samples has a target, and so an edit, under each method.
  EXPECT_EQ(read.texts("status"), (std::vector<std::string>{"ok", "ok", "ok", "ok"}));
  EXPECT_EQ(read.integers("sample_nfe"), (std::vector<int64_t>{4, 4, 4, 4}));
  const auto mse = read.numbers("mse");
  const store::ResultsReader reconstructed =
      results({"method=ddim", "steps=2", "guidance_scale=3", "dataset.limit=1"}, "reconstruct");
  EXPECT_NE(mse[0], reconstructed.numbers("mse")[0]);
}

TEST_F(Methods, ADivergingFitFailsItsSampleWithStepAndLoss) {
  const store::ResultsReader read = results(
      {"-m", "method=null_text", "steps=2", "guidance_scale=7.5", "dataset.limit=1", "method.learning_rate=1e-2,1e30"});
  EXPECT_EQ(read.texts("status"), (std::vector<std::string>{"ok", "failed"}));
  EXPECT_NE(read.texts("error")[1].find("fitting: step "), std::string::npos) << read.texts("error")[1];
  EXPECT_NE(read.texts("error")[1].find("(loss "), std::string::npos) << read.texts("error")[1];
}

TEST_F(Methods, NothingToTuneIsSaid) {
  run(plan({"method=null_text", "steps=2", "guidance_scale=1", "dataset.prompt=a red circle", "engine.max_batch=4"}),
      "out");
  EXPECT_NE(log().find("nothing was fitted"), std::string::npos) << log();
}

// The embedding that is tuned, the latents and the loss are float32 whatever the networks run in.
TEST_F(Methods, InBfloat16TheLossStaysNearFloat32s) {
  const store::ResultsReader read = results(
      {"-m", "method=null_text", "model.dtype=float32,bfloat16", "steps=3", "guidance_scale=7.5", "dataset.limit=1"});
  const store::StepTable steps = read.steps();
  for (int i = 1; i <= 3; ++i) {
    EXPECT_NEAR(steps.loss[4 + i] / steps.loss[i], 1, 0.05) << "i = " << i;
  }
}

}  // namespace
}  // namespace roundtrip::run
