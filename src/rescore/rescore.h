// Scores what a run kept once more, by other metrics, without its networks.
//
// A results file holds, of each record whose picture was kept, what came back and of what, as bytes. Those are scored
// as a run scores (scorer.h, edit_scores.h), and a new results file is written: every record and array of the run, its
// columns, and those of the metrics, which take the place of the run's own of the same name. A run scores pictures
// before they are rounded to bytes; these numbers differ from its by that, so their columns have a version of their
// own. Captions and the answers to edits are read from the datasets, where they are still what the run saw.
//
// It does not score latents, nor what the codec alone loses (codec_*): neither is kept.
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

namespace roundtrip::rescore {

struct RescoreOptions {
  std::filesystem::path results;                // of a run, or rescored already
  std::filesystem::path output;                 // a new file
  std::map<std::string, hydra::Node> settings;  // of rescore_keys() or metric.*; `metrics` is one of them
  std::function<bool()> stop = {};              // asked between batches; true ends it, and nothing is written
  std::FILE* log = stderr;
  run::Provenance provenance = {};  // what the caller knows: the command line
};

struct RescoreOutcome {
  int64_t records = 0, scored = 0;
  int64_t failed = 0;    // records that the run did not make
  int64_t not_kept = 0;  // records that it made, and kept no picture of
  bool interrupted = false;
  std::string table = {};  // means by trial
};

// The config keys that may be other than the run's, beside the sections of metrics (`metric.*`): what to score by,
// where images lie now, and engine.* of this machine.
const std::vector<std::string>& rescore_keys();

// Throws kInput where no picture is kept, where the output is there already, and where a dataset that is needed has
// changed; kMissing for a metric without its module, kType for settings of another type.
RescoreOutcome rescore(const RescoreOptions& options);

}  // namespace roundtrip::rescore
