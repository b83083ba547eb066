// The records of one model and engine, made sample by sample; those that the store holds already are passed over.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "run/plan.h"
#include "run/record_maker.h"
#include "run/recorder.h"

namespace roundtrip::run {

class BenchRun {
 public:
  // `between_batches` gets the network rows made so far and says whether to stop.
  BenchRun(const Plan& plan, const PlanBench& entry, Workbench& bench, Recorder& recorder,
           std::function<bool(int64_t rows)> between_batches);

  bool run();            // false where it was stopped
  int64_t rows() const;  // network evaluations made so far, with those that a gradient was taken of

 private:
  std::optional<engine::Task<void>> next();
  void plan_sample();
  void warm_up();

  const Plan& plan_;
  const PlanBench& entry_;
  Workbench& bench_;
  Recorder& recorder_;
  std::function<bool(int64_t rows)> between_batches_;
  bool warming_up_ = false;
  std::vector<std::unique_ptr<RecordMaker>> makers_;  // by dataset
  std::vector<std::vector<const Trial*>> orders_;     // by dataset: the trials, longest first
  size_t dataset_ = 0, sample_ = 0;                   // that `pending_` is planned for next
  std::vector<int64_t> rows_;                         // by place in the order: the trial's records planned so far
  std::vector<PlannedRecord> pending_;                // of the last planned sample, the next one at the back
  const RecordMaker* pending_maker_ = nullptr;
  size_t pending_sample_ = 0;
};

// Whether the store lacks a record of the bench.
bool lacks_records(const Plan& plan, const PlanBench& bench, const store::RunStore& store);

}  // namespace roundtrip::run
