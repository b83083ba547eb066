// The records of one model and engine, made sample by sample; those that the store holds already are passed over.
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
  // `between_batches` gets the network rows made so far and says whether to stop.
  SessionRun(const plan::Plan& plan, const plan::PlanSession& entry, session::Session& session, Recorder& recorder,
             std::function<bool(int64_t rows)> between_batches);

  bool run();            // false where it was stopped
  int64_t rows() const;  // network evaluations made so far, with those that a gradient was taken of

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
  size_t dataset_ = 0, sample_ = 0;                      // that `pending_` is planned for next
  std::vector<int64_t> rows_;                            // by place in the order: the trial's records planned so far
  std::vector<PlannedRecord> pending_;                   // of the last planned sample, the next one at the back
  const RecordMaker* pending_maker_ = nullptr;
  size_t pending_sample_ = 0;
};

// Whether the store lacks a record of the session.
bool lacks_records(const plan::Plan& plan, const plan::PlanSession& session, const store::RunStore& store);

}  // namespace roundtrip::run
