#include "plan/rehearsed.h"

#include <fmt/format.h>

#include "base/text.h"
#include "plan/trial.h"

namespace roundtrip::plan {
namespace {

// A guidance scale or eta decides what is read and asked only by being one of these values.
double kind_of(double setting) {
  constexpr double kBetween = 0.5, kBeyond = 7.5;
  return setting == 0 || setting == 1 ? setting : setting > 0 && setting < 1 ? kBetween : kBeyond;
}

diffusion::Conditioning rehearsed_embedding() { return {.tokens = at::full({1, 2}, 0.5, at::kDouble)}; }

inversion::Task<inversion::Trajectory> edited_path(const inversion::Method& method, const editing::Editor& editor,
                                                   const inversion::Problem& run, const inversion::Inversion& inversion,
                                                   const inversion::SourceWalk& walk,
                                                   const inversion::Guidance& guidance, const editing::Brief& brief) {
  inversion::Task<editing::Edit> editing = editing::way_back(method, editor, run, inversion, walk, guidance, brief);
  editing::Edit edit = co_await editing;
  co_return std::move(edit.path);
}

}  // namespace

inversion::PromptKinds prompt_kinds(const Trial& trial, const data::Dataset& dataset, size_t sample, size_t edit) {
  const std::string source = trial.source_prompt.value_or(dataset.prompt(sample));
  if (!trial.edits) {
    const bool null = source == trial.null_prompt;
    return {.null_source = null, .null_sampled = null};
  }
  const data::EditName name = dataset.edits(sample).at(edit);
  std::string words;
  if (!name.words.blend_target.empty()) words = fmt::format("[{}]", join(name.words.blend_source, " "));
  return {.null_source = source == trial.null_prompt,
          .null_sampled = name.target_prompt == trial.null_prompt,
          .words = std::move(words)};
}

const inversion::Rehearsal& Rehearsals::of(const Trial& trial, inversion::PromptKinds prompts) {
  inversion::Settings settings = trial.settings;
  settings.invert_w = kind_of(settings.invert_w);
  std::string numbers = fmt::format("{}", settings.invert_w);
  for (auto& [name, value] : settings.numbers) {
    if (name == inversion::kWKey || name == inversion::kEtaKey) value = kind_of(value);
    numbers += fmt::format(",{}", value);
  }
  const std::string key =
      fmt::format("{};{};{};{};{};S={};{}{}{}{};{}", trial.method_name, trial.method_params, trial.editor_name,
                  trial.editor_params, trial.edits, trial.steps, settings.eps_at == inversion::EpsAt::kTo,
                  prompts.null_source, prompts.null_sampled, !prompts.words.empty(), numbers);
  const auto known = known_.find(key);
  if (known != known_.end()) return known->second;
  editing::Brief brief;
  brief.rehearsed = true;
  if (!prompts.words.empty()) brief.words.blend_source = brief.words.blend_target = {"word"};
  for (const std::string& prompt : trial.editor->prompts()) brief.embeddings[prompt] = rehearsed_embedding();
  inversion::WayBack way_back;
  if (trial.walks_source()) {
    way_back.walk = [&](const inversion::Problem& run, const inversion::Inversion& inversion) {
      return editing::walk_source(*trial.method, *trial.editor, run, inversion, brief);
    };
  }
  way_back.sample = [&](const inversion::Problem& run, const inversion::Inversion& inversion,
                        const inversion::SourceWalk& walk, const inversion::Guidance& guidance) {
    return edited_path(*trial.method, *trial.editor, run, inversion, walk, guidance, brief);
  };
  return known_.emplace(key, rehearse(*trial.method, way_back, *trial.grid, settings, trial.edits, prompts))
      .first->second;
}

}  // namespace roundtrip::plan
