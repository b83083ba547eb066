// The sigmas of diffusers' FlowMatchEulerDiscreteScheduler.
#include "diffusion/flow_schedule.h"

#include <cmath>

#include <gtest/gtest.h>

#include "base/json.h"
#include "diffusion/beta_distribution.h"
#include "support/error_of.h"
#include "support/shared_material.h"

namespace roundtrip::diffusion {
namespace {

FlowConfig config_of(const nlohmann::json& keys, bool pipeline) {
  FlowConfig config;
  config.shift = keys.value("shift", config.shift);
  config.dynamic = keys.value("use_dynamic_shifting", config.dynamic);
  config.base_shift = keys.value("base_shift", config.base_shift);
  config.max_shift = keys.value("max_shift", config.max_shift);
  config.base_tokens = keys.value("base_image_seq_len", config.base_tokens);
  config.max_tokens = keys.value("max_image_seq_len", config.max_tokens);
  if (keys.value("time_shift_type", "") == "linear") config.time_shift = TimeShift::kLinear;
  if (keys.contains("shift_terminal")) config.terminal = keys["shift_terminal"].get<double>();
  config.line = pipeline ? FlowLine::kPipeline : FlowLine::kScheduler;
  return config;
}

TEST(FlowSchedule, GivesTheRecordedSigmasOfEveryConfigAndSize) {
  ROUNDTRIP_NEEDS_SHARED("flow");
  const std::filesystem::path cases = shared_material("flow/golden/cases.json");
  size_t compared = 0;
  const nlohmann::json recorded = read_json(cases);
  for (const nlohmann::json& entry : recorded["grids"]) {
    const bool pipeline = entry["sigmas_from"].get<std::string>().starts_with("linspace(1, 1/N");
    const auto sigmas = entry["sigmas"].get<std::vector<double>>();
    const int S = entry["steps"];
    const StepGrid grid = flow_grid(config_of(entry["config"], pipeline), S, entry["image_tokens"].get<int64_t>());
    ASSERT_EQ(sigmas.size(), static_cast<size_t>(S) + 1);
    for (int i = 0; i <= S; ++i) {
      EXPECT_NEAR(grid[i].p, sigmas[S - i], 1e-8) << entry["config"] << " S=" << S << " at " << i;
      EXPECT_DOUBLE_EQ(grid[i].t, 1000 * grid[i].p);
      EXPECT_EQ(grid[i].c, 1);
      EXPECT_DOUBLE_EQ(grid[i].a + grid[i].s, 1);
    }
    ++compared;
  }
  EXPECT_GE(compared, 80u);
}

TEST(FlowSchedule, ShiftsSd3TwiceAndFluxByItsTokens) {
  const StepGrid sd3 = flow_grid({.shift = 3}, 10, 0);
  EXPECT_NEAR(sd3[1].p, 0.00892857143, 1e-10);  // 1/1000 shifted by 3, and once more
  EXPECT_NEAR(sd3[9].p, 0.96012931, 1e-8);
  const FlowConfig flux{.shift = 3, .dynamic = true, .line = FlowLine::kPipeline};  // the static shift is not read
  EXPECT_NEAR(flow_grid(flux, 28, 4096)[1].p, 0.1047, 1e-4);
  EXPECT_LT(flow_grid(flux, 28, 1024)[1].p, flow_grid(flux, 28, 4096)[1].p);
}

// diffusers 0.42: set_timesteps(4, sigmas=[1, .75, .5, .25]) with shift 3.
TEST(FlowSchedule, SpacesSigmasAnew) {
  FlowConfig config{.shift = 3, .line = FlowLine::kPipeline};
  config.respacing = Respacing::kKarras;
  const StepGrid karras = flow_grid(config, 4, 0);
  config.respacing = Respacing::kExponential;
  const StepGrid exponential = flow_grid(config, 4, 0);
  config.respacing = Respacing::kBeta;
  const StepGrid beta = flow_grid(config, 4, 0);
  const std::vector<double> beta_sigmas = {0, 0.5, 0.637706637, 0.862293363, 1};
  const std::vector<double> karras_sigmas = {0, 0.5, 0.634835005, 0.799707890, 1};
  const std::vector<double> exponential_sigmas = {0, 0.5, 0.62996054, 0.7937005, 1};
  for (int i = 0; i <= 4; ++i) {
    EXPECT_NEAR(karras[i].p, karras_sigmas[i], 1e-6) << i;
    EXPECT_NEAR(beta[i].p, beta_sigmas[i], 1e-6) << i;
    EXPECT_NEAR(exponential[i].p, exponential_sigmas[i], 1e-6) << i;
  }
}

TEST(BetaQuantile, IsTheInverseOfTheDistribution) {
  EXPECT_NEAR(beta_quantile(0.3, 1, 1), 0.3, 1e-14);                          // uniform
  EXPECT_NEAR(beta_quantile(0.36, 2, 1), 0.6, 1e-14);                         // x^2
  EXPECT_NEAR(beta_quantile(0.25, 0.5, 0.5), 0.5 - std::sqrt(0.125), 1e-14);  // sin^2(pi p / 2)
  EXPECT_EQ(beta_quantile(0, 0.6, 0.6), 0);
  EXPECT_EQ(beta_quantile(1, 0.6, 0.6), 1);
  // scipy 1.17
  EXPECT_NEAR(beta_quantile(0.01, 0.6, 0.6), 0.0008612388215429059, 1e-13);
  EXPECT_NEAR(beta_quantile(0.2, 0.6, 0.6), 0.12292175045833292, 1e-13);
  EXPECT_NEAR(beta_quantile(0.9, 0.6, 0.6), 0.9604155944112192, 1e-13);
  EXPECT_NEAR(beta_quantile(0.7, 3.5, 0.4), 0.9883767158212228, 1e-13);
}

TEST(FlowSchedule, RefusesSettingsThatLeaveNoGrid) {
  EXPECT_THROW(flow_grid({}, 0, 0), Error);
  FlowConfig linear{.dynamic = true, .base_shift = -0.5, .time_shift = TimeShift::kLinear};
  const std::string message = testing::error_of([&] { flow_grid(linear, 4, 256); }, ErrorKind::kType);
  EXPECT_NE(message.find("expected ascending sigmas up to 1"), std::string::npos) << message;
  EXPECT_THROW(flow_grid({.terminal = 0.1}, 1, 0), Error);  // one step ends where it starts
}

}  // namespace
}  // namespace roundtrip::diffusion
