// Scores pictures that any program made for the edits of a dataset, into the same table as a run.
//
// The pictures are taken as they are: what a protocol saves them as was done by the program that wrote them. What was
// done to make them is not known, so the table has no costs, no noise statistics and no codec floor; the axes of the
// setting are what the caller says (`label.<key>`).
#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "analysis/table/run_table.h"
#include "hydra/tree/node.h"
#include "run/provenance.h"

namespace roundtrip::rescore {

struct ScoreOptions {
  std::filesystem::path pictures;   // a folder (picture_folder.h)
  std::filesystem::path directory;  // of the new results.h5
  hydra::Node config = {};          // resolved: dataset.*, metrics, metric.*, pie.*, engine.*, label.*, task
  std::function<bool()> stop = {};  // called between batches; true stops after the records so far
  std::FILE* log = stderr;
  run::Provenance provenance = {};  // from the caller: the command line
};

struct ScoreOutcome {
  int64_t records = 0, planned = 0;
  std::vector<analysis::RunFailure> failures;  // edits without a picture, and pictures that cannot be scored
  std::vector<std::string> unused;             // pictures that belong to no edit, if all edits were scored
  bool interrupted = false;
  std::string table = {};
  std::filesystem::path results = {};
};

// Throws kInput for a folder without pictures or of which none belongs to the dataset, kMissing for a metric without
// its module, kType for a label that its axis cannot hold.
ScoreOutcome score_pictures(const ScoreOptions& options);

}  // namespace roundtrip::rescore
