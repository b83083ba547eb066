// Computes further metrics on a run's saved images, without its networks.
//
// A results file stores the result and the source of each record with saved pictures, as bytes. They are scored as in a
// run (scorer.h, edit_scores.h). The new results file has every record, array and column of the run; columns of the
// metrics replace those of the same name. A run scores pictures before they are rounded to bytes. The new scores differ
// by that rounding, so their columns have a separate version. Captions and the answers to edits are read from the
// datasets, which must not have changed since the run.
//
// It does not score latents or the codec's own loss (codec_*), because the run stores neither.
#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "hydra/tree/node.h"
#include "run/provenance.h"
#include "session/scorer.h"

namespace roundtrip::rescore {

struct RescoreOptions {
  std::filesystem::path results;                // of a run, or of an earlier rescoring
  std::filesystem::path output;                 // a new file
  std::map<std::string, hydra::Node> settings;  // keys of rescore_keys() or metric.*, always `metrics`
  std::function<bool()> stop = {};              // called between batches; true stops without writing
  std::FILE* log = stderr;
  run::Provenance provenance = {};  // from the caller: the command line
};

struct RescoreOutcome {
  int64_t records = 0, scored = 0;
  int64_t failed = 0;    // records that the run did not make
  int64_t not_kept = 0;  // records that it made without saving pictures
  bool interrupted = false;
  std::string table = {};  // means by trial
};

// Config keys that may differ from the run's, besides the sections of metrics (`metric.*`): the metrics, the current
// paths of images, and engine.* of this machine.
const std::vector<std::string>& rescore_keys();

// Throws kInput for a metric of latents, which pictures do not have, and kMissing for one without its module.
void refuse_what_cannot_score(const session::Scorer& scorer);

// Throws kInput if the run saved no pictures, the output exists, or a required dataset has changed; kMissing for a
// metric without its module; kType for settings of another type.
RescoreOutcome rescore(const RescoreOptions& options);

}  // namespace roundtrip::rescore
