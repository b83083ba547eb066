#include "plan/keys.h"

#include <fmt/format.h>

namespace roundtrip::plan {

RecordKeys record_keys(const Trial& trial, int dataset, const std::string& sample, size_t edit) {
  RecordKeys keys;
  keys.prepared =
      fmt::format("sample={}/{};encode={};null={}", dataset, sample,
                  trial.model.encode_sample ? fmt::format("sample:{}", trial.seed) : "mean", trial.null_prompt);
  if (trial.engine.timing == session::Timing::kIsolated) keys.prepared += fmt::format(";trial={}", trial.number);
  const auto append = [&](std::string& key, const inversion::Reads& reads) {
    if (reads.eps_at) key += ";eps_at=" + trial.eps_at_text();
    if (reads.invert_w) key += fmt::format(";invert_w={}", trial.invert_w);
    if (reads.w) key += fmt::format(";w={}", trial.w);
    if (reads.eta) key += fmt::format(";eta={}", trial.eta);
    if (reads.seed) key += fmt::format(";seed={}", trial.seed);
  };
  const std::string method = fmt::format("method={};{}", trial.method_name, trial.method_params);
  const inversion::Reads invert_reads = trial.method->invert_reads();
  keys.inverted = fmt::format("{};{};S={}", keys.prepared,
                              invert_reads.common.empty() ? method : "walk=" + invert_reads.common, trial.steps);
  append(keys.inverted, invert_reads);
  keys.fitted = fmt::format("{};fit;{}", keys.inverted, method);
  append(keys.fitted, trial.method->fit_reads());
  keys.sampled = fmt::format("{};{}", keys.fitted, trial.edits ? fmt::format("edit={}", edit) : "reconstruct");
  append(keys.sampled, trial.method->sample_reads(trial.eta));
  return keys;
}

namespace {

inversion::Ask ask_of(const Trial& trial, Prompts prompts) {
  return {.steps = trial.steps,
          .invert_w = trial.invert_w,
          .w = trial.w,
          .eta = trial.eta,
          .null_source = prompts.null_source,
          .edits = trial.edits,
          .null_sampled = prompts.null_sampled};
}

}  // namespace

inversion::Evaluations invert_evaluations(const Trial& trial, Prompts prompts) {
  return trial.method->invert_evaluations(ask_of(trial, prompts));
}

inversion::Evaluations fit_evaluations(const Trial& trial, Prompts prompts) {
  return trial.method->fit_evaluations(ask_of(trial, prompts));
}

inversion::Evaluations sample_evaluations(const Trial& trial, Prompts prompts) {
  return trial.method->sample_evaluations(ask_of(trial, prompts));
}

}  // namespace roundtrip::plan
