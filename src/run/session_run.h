// Makes the records of one session, sample by sample. Skips those that the store already has.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "plan/plan.h"
#include "run/record_maker.h"
#include "run/recorder.h"

namespace roundtrip::run {

class SessionRun {
 public:
  // `between_batches` gets the number of network rows so far and returns whether to stop.
  SessionRun(const plan::Plan& plan, const plan::PlanSession& entry, session::Session& session, Recorder& recorder,
             std::function<bool(int64_t rows)> between_batches);

  bool run();            // false if stopped
  int64_t rows() const;  // network evaluations so far, including those with a gradient

 private:
  std::optional<engine::Task<void>> next();
  void plan_sample();
  void warm_up();

  const plan::Plan& plan_;
  const plan::PlanSession& entry_;
  session::Session& session_;
  Recorder& recorder_;
  std::function<bool(int64_t rows)> between_batches_;
  bool warming_up_ = false;
  std::vector<std::unique_ptr<RecordMaker>> makers_;     // by dataset
  std::vector<std::vector<const plan::Trial*>> orders_;  // by dataset: the trials, longest first
  size_t dataset_ = 0, sample_ = 0;                      // next to plan into `pending_`
  std::vector<int64_t> rows_;                            // by position in the order: the trial's records planned so far
  std::vector<PlannedRecord> pending_;                   // records of the last planned sample, the next at the back
  const RecordMaker* pending_maker_ = nullptr;
  size_t pending_sample_ = 0;
};

// Returns whether the store lacks a record of the session.
bool lacks_records(const plan::Plan& plan, const plan::PlanSession& session, const store::RunStore& store);

}  // namespace roundtrip::run
