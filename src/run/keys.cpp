#include "run/keys.h"

#include <fmt/format.h>

namespace roundtrip::run {

RecordKeys record_keys(const Trial& trial, int dataset, const std::string& sample) {
  RecordKeys keys;
  keys.prepared =
      fmt::format("sample={}/{};encode={};null={}", dataset, sample,
                  trial.model.encode_sample ? fmt::format("sample:{}", trial.seed) : "mean", trial.null_prompt);
  if (trial.engine.timing == Timing::kIsolated) keys.prepared += fmt::format(";trial={}", trial.number);
  const auto append = [&](std::string& key, const inversion::Reads& reads) {
    if (reads.eps_at) key += ";eps_at=" + trial.eps_at_text();
    if (reads.invert_w) key += fmt::format(";invert_w={}", trial.invert_w);
    if (reads.w) key += fmt::format(";w={}", trial.w);
    if (reads.eta) key += fmt::format(";eta={}", trial.eta);
    if (reads.seed) key += fmt::format(";seed={}", trial.seed);
  };
  keys.inverted =
      fmt::format("{};method={};{};S={}", keys.prepared, trial.method_name, trial.method_params, trial.steps);
  append(keys.inverted, trial.method->invert_reads());
  keys.reconstructed = keys.inverted + ";back";
  append(keys.reconstructed, trial.method->sample_reads(trial.eta));
  return keys;
}

namespace {

inversion::Ask ask_of(const Trial& trial, bool prompt_is_null) {
  return {.steps = trial.steps, .invert_w = trial.invert_w, .w = trial.w, .one_embedding = prompt_is_null};
}

}  // namespace

inversion::Evaluations invert_evaluations(const Trial& trial, bool prompt_is_null) {
  return trial.method->invert_evaluations(ask_of(trial, prompt_is_null));
}

inversion::Evaluations sample_evaluations(const Trial& trial, bool prompt_is_null) {
  return trial.method->sample_evaluations(ask_of(trial, prompt_is_null));
}

}  // namespace roundtrip::run
