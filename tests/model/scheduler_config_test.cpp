#include "model/scheduler_config.h"

#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/error_of.h"

namespace roundtrip::model {
namespace {

using diffusion::BetaSchedule;
using diffusion::Prediction;
using diffusion::ScheduleConfig;
using diffusion::Spacing;
using roundtrip::testing::error_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

ScheduleConfig read(std::string_view text) {
  return read_scheduler_config(JsonConfig::parse(text, "scheduler_config.json"));
}

std::string read_error(std::string_view text) {
  return error_of([&] { read(text); });
}

TEST(SchedulerConfig, ReadsAFolder) {
  const ScheduleConfig config =
      read_scheduler_config(ROUNDTRIP_SOURCE_DIR "/tests/golden/models/tiny-sd/scheduler/scheduler_config.json");
  EXPECT_EQ(config.train_steps, 1000);
  EXPECT_EQ(config.beta_start, 0.00085);
  EXPECT_EQ(config.beta_end, 0.012);
  EXPECT_EQ(config.beta_schedule, BetaSchedule::kScaledLinear);
  EXPECT_THAT(config.trained_betas, IsEmpty());
  EXPECT_FALSE(config.rescale_zero_snr);
  EXPECT_FALSE(config.set_alpha_to_one);
  EXPECT_EQ(config.steps_offset, 1);
  EXPECT_EQ(config.spacing, Spacing::kLeading);
  EXPECT_EQ(config.prediction, Prediction::kEpsilon);
  EXPECT_THAT(config.ignored, IsEmpty());
}

TEST(SchedulerConfig, HasTheDefaultsOfDdimWhateverTheClass) {
  const ScheduleConfig config = read(R"({"_class_name": "EulerDiscreteScheduler"})");
  EXPECT_EQ(config.train_steps, 1000);
  EXPECT_EQ(config.beta_start, 0.0001);
  EXPECT_EQ(config.beta_end, 0.02);
  EXPECT_EQ(config.beta_schedule, BetaSchedule::kLinear);
  EXPECT_TRUE(config.set_alpha_to_one);
  EXPECT_EQ(config.steps_offset, 0);
  EXPECT_EQ(config.spacing, Spacing::kLeading);
  EXPECT_EQ(config.prediction, Prediction::kEpsilon);
}

TEST(SchedulerConfig, ReadsEveryChoice) {
  EXPECT_EQ(read(R"({"beta_schedule": "squaredcos_cap_v2"})").beta_schedule, BetaSchedule::kSquaredCosine);
  EXPECT_EQ(read(R"({"timestep_spacing": "trailing"})").spacing, Spacing::kTrailing);
  EXPECT_EQ(read(R"({"timestep_spacing": "linspace"})").spacing, Spacing::kLinspace);
  EXPECT_EQ(read(R"({"prediction_type": "v_prediction"})").prediction, Prediction::kV);
  EXPECT_EQ(read(R"({"prediction_type": "sample"})").prediction, Prediction::kSample);
  EXPECT_TRUE(read(R"({"rescale_betas_zero_snr": true})").rescale_zero_snr);
}

// LCMScheduler does not read timestep_spacing, which its configs nevertheless hold.
TEST(SchedulerConfig, AConsistencyModelsTimestepsAreChosenInAWayOfTheirOwn) {
  const ScheduleConfig lcm =
      read(R"({"_class_name": "LCMScheduler", "timestep_spacing": "leading", "original_inference_steps": 40})");
  EXPECT_EQ(lcm.spacing, Spacing::kLcm);
  EXPECT_EQ(lcm.distilled_steps, 40);
  EXPECT_EQ(read(R"({"_class_name": "LCMScheduler"})").distilled_steps, 50);
  EXPECT_THAT(read_error(R"({"_class_name": "LCMScheduler", "original_inference_steps": 2000})"),
              HasSubstr("original_inference_steps"));
  EXPECT_THAT(read(R"({"_class_name": "DDIMScheduler", "original_inference_steps": 40})").ignored,
              ElementsAre("original_inference_steps=40"));
}

TEST(SchedulerConfig, TrainedBetasReplaceTheFormula) {
  const ScheduleConfig config =
      read(R"({"num_train_timesteps": 3, "trained_betas": [0.1, 0.2, 0.3], "beta_schedule": "sigmoid"})");
  EXPECT_THAT(config.trained_betas, ElementsAre(0.1, 0.2, 0.3));
  EXPECT_THAT(config.ignored, IsEmpty());
}

TEST(SchedulerConfig, RecordsWhatOnlySamplersUse) {
  EXPECT_THAT(
      read(R"({"clip_sample": true, "clip_sample_range": 2, "thresholding": false, "sample_max_value": 1.5,
                       "skip_prk_steps": true, "variance_type": "fixed_small", "lower_order_final": false,
                       "sigma_min": null, "_diffusers_version": "0.42.1"})")
          .ignored,
      ElementsAre("clip_sample=true", "clip_sample_range=2", "skip_prk_steps=true", "variance_type=\"fixed_small\""));
}

TEST(SchedulerConfig, RefusesUnknownChoicesWithTheKnownOnes) {
  EXPECT_EQ(read_error(R"({"beta_schedule": "sigmoid"})"),
            "scheduler_config.json: beta_schedule is \"sigmoid\"; expected one of linear, scaled_linear, "
            "squaredcos_cap_v2");
  EXPECT_THAT(read_error(R"({"timestep_spacing": "karras"})"), HasSubstr("one of leading, trailing, linspace"));
  EXPECT_THAT(read_error(R"({"prediction_type": "flow_prediction"})"), HasSubstr("epsilon, v_prediction, sample"));
}

TEST(SchedulerConfig, RefusesSchedulersWithoutBetas) {
  EXPECT_THAT(read_error(R"({"_class_name": "FlowMatchEulerDiscreteScheduler"})"), HasSubstr("schedule of betas"));
  EXPECT_THAT(read_error(R"({"_class_name": "EDMEulerScheduler"})"), HasSubstr("schedule of betas"));
  EXPECT_THAT(read_error(R"({"use_flow_sigmas": true})"), HasSubstr("use_flow_sigmas is true; expected false"));
}

TEST(SchedulerConfig, RefusesNumbersOutOfRange) {
  for (const std::string_view text :
       {R"({"num_train_timesteps": 0})", R"({"num_train_timesteps": 4294967296})", R"({"num_train_timesteps": 1e3})",
        R"({"steps_offset": -1})", R"({"steps_offset": 1000})", R"({"beta_start": -0.1})", R"({"beta_end": 1})",
        R"({"beta_end": "0.02"})", R"({"set_alpha_to_one": 1})", R"({"trained_betas": [0.1]})",
        R"({"trained_betas": ["a"]})", R"({"num_train_timesteps": 1, "trained_betas": [1.5]})", R"({"clip_sample": 1})",
        R"({"num_train_timesteps": null})", R"([])"}) {
    EXPECT_THAT(read_error(text), HasSubstr("scheduler_config.json: ")) << text;
  }
}

diffusion::FlowConfig read_flow(std::string_view text) {
  return read_flow_config(JsonConfig::parse(text, "scheduler_config.json"), diffusion::FlowLine::kPipeline);
}

std::string flow_error(std::string_view text) {
  return error_of([&] { read_flow(text); });
}

TEST(FlowSchedulerConfig, ReadsAFlow) {
  const diffusion::FlowConfig flow = read_flow(R"({"_class_name": "FlowMatchEulerDiscreteScheduler", "shift": 3.0,
      "use_dynamic_shifting": true, "base_shift": 0.6, "max_shift": 1.2, "base_image_seq_len": 128,
      "max_image_seq_len": 2048, "time_shift_type": "linear", "shift_terminal": 0.02, "use_karras_sigmas": true,
      "num_train_timesteps": 500, "invert_sigmas": false})");
  EXPECT_EQ(flow.shift, 3);
  EXPECT_TRUE(flow.dynamic);
  EXPECT_EQ(flow.base_shift, 0.6);
  EXPECT_EQ(flow.max_shift, 1.2);
  EXPECT_EQ(flow.base_tokens, 128);
  EXPECT_EQ(flow.max_tokens, 2048);
  EXPECT_EQ(flow.time_shift, diffusion::TimeShift::kLinear);
  EXPECT_EQ(flow.terminal, 0.02);
  EXPECT_EQ(flow.respacing, diffusion::Respacing::kKarras);
  EXPECT_EQ(flow.train_steps, 500);
  EXPECT_EQ(flow.line, diffusion::FlowLine::kPipeline);
}

TEST(FlowSchedulerConfig, HasTheDefaultsOfDiffusers) {
  const diffusion::FlowConfig flow = read_flow(R"({"max_shift": null, "shift_terminal": null})");
  EXPECT_EQ(flow.shift, 1);
  EXPECT_FALSE(flow.dynamic);
  EXPECT_EQ(flow.max_shift, 1.15);
  EXPECT_FALSE(flow.terminal);
  EXPECT_EQ(flow.respacing, diffusion::Respacing::kNone);
}

TEST(FlowSchedulerConfig, RefusesWhatItDoesNotComputeAndWhatContradictsItself) {
  EXPECT_THAT(flow_error(R"({"_class_name": "DDIMScheduler"})"), HasSubstr("the network predicts a flow's velocity"));
  EXPECT_THAT(flow_error(R"({"invert_sigmas": true})"), HasSubstr("invert_sigmas is true"));
  EXPECT_THAT(flow_error(R"({"stochastic_sampling": true})"), HasSubstr("stochastic_sampling is true"));
  EXPECT_THAT(flow_error(R"({"rescale_betas_zero_snr": true})"), HasSubstr("rescale_betas_zero_snr is true"));
  EXPECT_THAT(flow_error(R"({"shift": 0})"), HasSubstr("shift is 0; expected a number above 0"));
  EXPECT_THAT(flow_error(R"({"shift_terminal": 1})"), HasSubstr("shift_terminal is 1"));
  EXPECT_THAT(flow_error(R"({"time_shift_type": "cubic"})"), HasSubstr("one of exponential, linear"));
  EXPECT_THAT(flow_error(R"({"use_dynamic_shifting": true, "max_image_seq_len": 256})"),
              HasSubstr("a number other than base_image_seq_len"));
  EXPECT_THAT(flow_error(R"({"use_karras_sigmas": true, "use_exponential_sigmas": true})"),
              HasSubstr("use_exponential_sigmas is true; expected false: sigmas are spaced in one way alone"));
  EXPECT_THAT(flow_error(R"({"invented": 1})"), HasSubstr("does not know"));
  EXPECT_THAT(read_error(R"({"_class_name": "FlowMatchEulerDiscreteScheduler"})"), HasSubstr("betas"));
}

}  // namespace
}  // namespace roundtrip::model
