// The rehearsed stages of a trial: what they read and the network evaluations that they ask for.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "data/dataset.h"
#include "inversion/rehearsal.h"

namespace roundtrip::plan {

struct Trial;

// Which prompts of a sample are the trial's null prompt. `edit` is one of the sample's, where the trial edits.
inversion::PromptKinds prompt_kinds(const Trial& trial, const data::Dataset& dataset, size_t sample, size_t edit);

// Rehearsals of one model's trials. Trials that differ in nothing that a rehearsal can see share one.
class Rehearsals {
 public:
  const inversion::Rehearsal& of(const Trial& trial, inversion::PromptKinds prompts);

 private:
  std::map<std::string, inversion::Rehearsal> known_;
};

}  // namespace roundtrip::plan
