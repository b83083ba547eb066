// The plan of a run: trials, samples and network evaluations, known before anything runs.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/launch.h"
#include "plan/trial.h"
#include "session/session_options.h"

namespace roundtrip::plan {

// The trials over one dataset.
struct PlanDataset {
  data::DatasetOptions options;
  std::shared_ptr<const data::Dataset> dataset;
  std::vector<size_t> trials;  // positions in Plan::trials

  // The records that a trial makes of the dataset: one per sample, or one per edit. Rows count from the trial's first.
  int64_t records(const Trial& trial) const;
  int64_t records(const Trial& trial, size_t sample) const;
};

// The trials that one model on one engine serves.
struct PlanSession {
  session::SessionOptions options;
  std::vector<PlanDataset> datasets;
  int64_t parameters = 0;          // of the model
  inversion::NfeBounds made = {};  // of Plan::made
};

struct Plan {
  std::vector<Trial> trials;
  std::vector<PlanSession> sessions;
  std::vector<int64_t> first_row;  // by trial: its records are rows first_row .. first_row + records - 1
  int64_t records = 0;
  inversion::NfeBounds asked, made;     // before and after sharing
  int64_t saved_bytes = 0;              // of trajectories and images, before compression
  std::vector<std::string> swept;       // keys that vary, as typed
  std::vector<std::string> parameters;  // those with a column p.<key>
};

// Trial ids digest every weight. A run stores them; a plan that is only printed omits them.
enum class TrialIds { kMake, kOmit };

// Reads every job, opens every dataset and looks into every model: what is wrong with any trial is said before the
// first one runs.
Plan make_plan(const hydra::Launch& launch, TrialIds ids = TrialIds::kMake);

}  // namespace roundtrip::plan
