#include "model/scheduler_config.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

namespace roundtrip::model {
namespace {

using diffusion::BetaSchedule;
using diffusion::Prediction;
using diffusion::ScheduleConfig;
using diffusion::Spacing;

constexpr int64_t kMaxTrainSteps = 1'000'000;

// diffusers' schedulers that use sigmas, flows or discrete states of their own.
constexpr std::string_view kWithoutBetas[] = {"FlowMatch", "EDM",          "ScoreSde",
                                              "KarrasVe",  "CMStochastic", "VQDiffusion"};

constexpr std::string_view kLcmClass = "LCMScheduler";

template <typename T, size_t n>
T read_choice(JsonConfig& config, std::string_view key, const std::array<std::pair<std::string_view, T>, n>& choices) {
  const auto name = config.get<std::string>(key, std::string(choices.front().first));  // the first is the default
  std::vector<std::string> names;
  for (const auto& [choice, value] : choices) {
    if (choice == name) return value;
    names.emplace_back(choice);
  }
  config.fail(key, fmt::format("one of {}", join(names, ", ")));
}

int read_integer(JsonConfig& config, std::string_view key, int64_t fallback, int64_t least, int64_t most) {
  const auto value = config.get<int64_t>(key, fallback);
  if (value < least || value > most) config.fail(key, fmt::format("{} to {}", least, most));
  return static_cast<int>(value);
}

double read_beta(JsonConfig& config, std::string_view key, double fallback) {
  const auto beta = config.get<double>(key, fallback);
  if (!(beta >= 0 && beta < 1)) config.fail(key, "0 <= beta < 1");
  return beta;
}

// Keys that only samplers use, as key=value. The settings of a switch that is off have no effect and are not recorded.
std::vector<std::string> read_ignored(JsonConfig& config) {
  std::vector<std::string> ignored;
  const auto is_on = [&](std::string_view key) {
    const bool on = config.find<bool>(key).value_or(false);
    if (on) ignored.push_back(fmt::format("{}=true", key));
    return on;
  };
  if (!is_on("clip_sample")) config.ignore({"clip_sample_range"});
  if (!is_on("thresholding")) config.ignore({"dynamic_thresholding_ratio", "sample_max_value"});
  for (const auto& [key, value] : config.unread()) {
    if (!value.is_null() && value != false) ignored.push_back(fmt::format("{}={}", key, json_text(value)));
  }
  return ignored;
}

}  // namespace

ScheduleConfig read_scheduler_config(const std::filesystem::path& path) {
  return read_scheduler_config(JsonConfig::open(path));
}

ScheduleConfig read_scheduler_config(JsonConfig config) {
  const auto class_name = config.get<std::string>("_class_name", "");
  if (starts_with_any(class_name, kWithoutBetas)) config.fail("_class_name", "a scheduler with a schedule of betas");
  if (config.find<bool>("use_flow_sigmas").value_or(false)) config.fail("use_flow_sigmas", "false");

  ScheduleConfig schedule;
  schedule.train_steps = read_integer(config, "num_train_timesteps", schedule.train_steps, 1, kMaxTrainSteps);
  if (auto betas = config.find<std::vector<double>>("trained_betas")) {
    if (betas->size() != static_cast<size_t>(schedule.train_steps)) {
      throw input_error(config.where(), fmt::format("trained_betas has {} entries", betas->size()),
                        fmt::format("num_train_timesteps = {}", schedule.train_steps));
    }
    for (const double beta : *betas) {
      if (!(beta >= 0 && beta < 1)) {
        throw input_error(config.where(), fmt::format("trained_betas has a beta of {}", beta), "0 <= beta < 1");
      }
    }
    schedule.trained_betas = *std::move(betas);
    config.ignore({"beta_schedule", "beta_start", "beta_end"});
  } else {
    schedule.beta_start = read_beta(config, "beta_start", schedule.beta_start);
    schedule.beta_end = read_beta(config, "beta_end", schedule.beta_end);
    schedule.beta_schedule = read_choice(config, "beta_schedule",
                                         std::to_array<std::pair<std::string_view, BetaSchedule>>(
                                             {{"linear", BetaSchedule::kLinear},
                                              {"scaled_linear", BetaSchedule::kScaledLinear},
                                              {"squaredcos_cap_v2", BetaSchedule::kSquaredCosine}}));
  }
  schedule.rescale_zero_snr = config.get<bool>("rescale_betas_zero_snr", schedule.rescale_zero_snr);
  schedule.set_alpha_to_one = config.get<bool>("set_alpha_to_one", schedule.set_alpha_to_one);
  schedule.steps_offset = read_integer(config, "steps_offset", schedule.steps_offset, 0, schedule.train_steps - 1);
  schedule.spacing = read_choice(
      config, "timestep_spacing",
      std::to_array<std::pair<std::string_view, Spacing>>(
          {{"leading", Spacing::kLeading}, {"trailing", Spacing::kTrailing}, {"linspace", Spacing::kLinspace}}));
  if (class_name == kLcmClass) {  // it chooses its timesteps in a way of its own, whatever timestep_spacing says
    schedule.spacing = Spacing::kLcm;
    schedule.distilled_steps =
        read_integer(config, "original_inference_steps", schedule.distilled_steps, 1, schedule.train_steps);
  }
  schedule.prediction = read_choice(
      config, "prediction_type",
      std::to_array<std::pair<std::string_view, Prediction>>(
          {{"epsilon", Prediction::kEpsilon}, {"v_prediction", Prediction::kV}, {"sample", Prediction::kSample}}));

  schedule.ignored = read_ignored(config);
  return schedule;
}

diffusion::FlowConfig read_flow_config(JsonConfig config, diffusion::FlowLine line) {
  constexpr std::string_view kClass = "FlowMatchEulerDiscreteScheduler";
  if (config.get<std::string>("_class_name", std::string(kClass)) != kClass) {
    config.fail("_class_name", fmt::format("{}: the network predicts a flow's velocity", kClass));
  }
  config.refuse_unless("rescale_betas_zero_snr", {false});  // of schedules with betas
  config.refuse_unless("invert_sigmas", {false});
  config.refuse_unless("stochastic_sampling", {false});

  diffusion::FlowConfig flow{.line = line};
  flow.train_steps = read_integer(config, "num_train_timesteps", flow.train_steps, 1, kMaxTrainSteps);
  flow.shift = config.get<double>("shift", flow.shift);
  if (!(flow.shift > 0)) config.fail("shift", "a number above 0");
  flow.dynamic = config.get<bool>("use_dynamic_shifting", flow.dynamic);
  flow.base_shift = config.find<double>("base_shift").value_or(flow.base_shift);
  flow.max_shift = config.find<double>("max_shift").value_or(flow.max_shift);
  flow.base_tokens = config.at_least(1, "base_image_seq_len", flow.base_tokens);
  flow.max_tokens = config.at_least(1, "max_image_seq_len", flow.max_tokens);
  if (flow.dynamic && flow.max_tokens == flow.base_tokens) {
    config.fail("max_image_seq_len", "a number other than base_image_seq_len: the shift grows from one to the other");
  }
  flow.time_shift = read_choice(
      config, "time_shift_type",
      std::to_array<std::pair<std::string_view, diffusion::TimeShift>>(
          {{"exponential", diffusion::TimeShift::kExponential}, {"linear", diffusion::TimeShift::kLinear}}));
  const double terminal = config.find<double>("shift_terminal").value_or(0);  // 0 is none, as in diffusers
  if (!(terminal >= 0 && terminal < 1)) config.fail("shift_terminal", "null, or a number from 0 to below 1");
  if (terminal > 0) flow.terminal = terminal;
  for (const auto& [key, respacing] : {std::pair{"use_karras_sigmas", diffusion::Respacing::kKarras},
                                       std::pair{"use_exponential_sigmas", diffusion::Respacing::kExponential},
                                       std::pair{"use_beta_sigmas", diffusion::Respacing::kBeta}}) {
    if (!config.get<bool>(key, false)) continue;
    if (flow.respacing != diffusion::Respacing::kNone) config.fail(key, "false: sigmas are spaced in one way alone");
    flow.respacing = respacing;
  }
  config.refuse_unread();
  return flow;
}

}  // namespace roundtrip::model
