#include "plan/rehearsed.h"

#include <fmt/format.h>

#include "plan/trial.h"

namespace roundtrip::plan {
namespace {

// Methods may treat these values specially, and no others.
double kind_of(double setting) {
  constexpr double kOther = 7.5;
  return setting == 0 || setting == 1 ? setting : kOther;
}

}  // namespace

inversion::PromptKinds prompt_kinds(const Trial& trial, const data::Dataset& dataset, size_t sample, size_t edit) {
  const std::string source = dataset.prompt(sample);
  const std::string sampled = trial.edits ? dataset.edits(sample).at(edit).target_prompt : source;
  return {.null_source = source == trial.null_prompt, .null_sampled = sampled == trial.null_prompt};
}

const inversion::Rehearsal& Rehearsals::of(const Trial& trial, inversion::PromptKinds prompts) {
  const double invert_w = kind_of(trial.invert_w), w = kind_of(trial.w), eta = trial.eta == 0 ? 0 : 0.5;
  const std::string key = fmt::format(
      "{};{};{};S={};{}{}{};{};{};{};{}", trial.method_params, trial.editor_params, trial.edits, trial.steps,
      trial.eps_at == inversion::EpsAt::kTo, prompts.null_source, prompts.null_sampled, trial.method_name, invert_w, w,
      eta);
  const auto known = known_.find(key);
  if (known != known_.end()) return known->second;
  const inversion::SampleStage way_back = [&trial](const inversion::Problem& run,
                                                   const inversion::Inversion& inversion,
                                                   const inversion::Guidance& guidance) {
    return editing::way_back(*trial.method, *trial.editor, run, inversion, guidance);
  };
  const inversion::Settings settings{.eps_at = trial.eps_at, .invert_w = invert_w, .w = w, .eta = eta};
  return known_.emplace(key, rehearse(*trial.method, way_back, *trial.grid, settings, trial.edits, prompts))
      .first->second;
}

}  // namespace roundtrip::plan
