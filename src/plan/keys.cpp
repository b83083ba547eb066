#include "plan/keys.h"

#include <fmt/format.h>

namespace roundtrip::plan {
namespace {

// The values of the settings that a stage was seen to read; `edit` stands for the target prompt.
std::string values_read(const Trial& trial, const inversion::Dependencies& reads, size_t edit) {
  std::string text;
  for (const std::string& key : reads.keys) {
    text += fmt::format(";{}=", key);
    const auto number = trial.settings.numbers.find(key);
    if (number != trial.settings.numbers.end()) text += fmt::format("{}", number->second);
    if (key == inversion::kInvertWKey) text += fmt::format("{}", trial.settings.invert_w);
    if (key == inversion::kEpsAtKey) text += trial.settings.eps_at == inversion::EpsAt::kTo ? "t" : "t-1";
    if (key == inversion::kSeedKey) text += fmt::format("{}", trial.seed);
    if (key == inversion::kTargetKey) text += trial.edits ? fmt::format("edit {}", edit) : "none";
  }
  return text;
}

}  // namespace

RecordKeys record_keys(const Trial& trial, int dataset, const std::string& sample, inversion::PromptKinds prompts,
                       size_t edit) {
  const inversion::Rehearsal& seen = trial.rehearsals->of(trial, prompts);
  const std::string encode = trial.model.encode_sample ? fmt::format("sample:{}", trial.seed) : "mean";
  const std::string method = fmt::format("method={};{}", trial.method_name, trial.method_params);
  const std::string walk = seen.invert.walk.empty() ? method : "walk=" + seen.invert.walk;
  const std::string task =
      trial.edits ? fmt::format("edit={};editor={};{}", edit, trial.editor_name, trial.editor_params) : "reconstruct";
  RecordKeys keys;
  keys.prepared = fmt::format("sample={}/{};encode={};null={}", dataset, sample, encode, trial.null_prompt);
  if (trial.source_prompt) keys.prepared += fmt::format(";source={}", *trial.source_prompt);
  if (trial.engine.timing == session::Timing::kIsolated) keys.prepared += fmt::format(";trial={}", trial.number);
  keys.inverted =
      fmt::format("{};{};S={}{}", keys.prepared, walk, trial.steps, values_read(trial, seen.invert.reads, edit));
  keys.fitted = fmt::format("{};fit;{}{}", keys.inverted, method, values_read(trial, seen.fit.reads, edit));
  // Shared by all edits of a sample, unless the editor watches it for words of its own.
  keys.walked =
      fmt::format("{};walk;{}{}", keys.fitted, trial.walks_source() ? trial.editor->walk_key(prompts.words) : "none",
                  values_read(trial, seen.walk.reads, edit));
  const std::string protocol = session::key_text(trial.protocol);
  keys.reference =
      fmt::format("{};reference{}{}", keys.prepared, trial.edits ? fmt::format(";edit={}", edit) : "", protocol);
  keys.sampled = fmt::format("{};{}{}{}", keys.fitted, task, values_read(trial, seen.sample.reads, edit), protocol);
  return keys;
}

}  // namespace roundtrip::plan
