// Keys of the work of a record: records with equal keys share it.
//
// A key is readable text that names everything the work depends on within one model and engine; it never holds the
// batch, the order or the worker.
#pragma once

#include <string>
#include <vector>

#include "plan/trial.h"

namespace roundtrip::plan {

struct RecordKeys {
  std::string prepared;   // pixels, latent, embeddings
  std::string inverted;   // pivots
  std::string fitted;     // and what was fitted to them
  std::string walked;     // the source prompt's walk back, where the editor reads it
  std::string reference;  // what a result is scored against, and the codec floor
  std::string sampled;    // the way back, its image and scores

  std::vector<std::string> all() const { return {prepared, inverted, fitted, walked, reference, sampled}; }
};

// `dataset` tells datasets of one run apart. With `isolated` timing nothing is shared.
// `edit` is the number of the sample's edit, where the trial edits.
RecordKeys record_keys(const Trial& trial, int dataset, const std::string& sample, inversion::PromptKinds prompts,
                       size_t edit = 0);

}  // namespace roundtrip::plan
