// Passes every finished record to the store; saves pictures, and prints failures and notes.
#pragma once

#include <map>
#include <set>
#include <string>

#include "base/progress.h"
#include "plan/plan.h"
#include "run/image_keeper.h"
#include "run/record_maker.h"
#include "store/run_store.h"

namespace roundtrip::run {

class Recorder {
 public:
  // `store` may already have records, which count as recorded.
  Recorder(const plan::Plan& plan, store::RunStore store, Progress& progress);

  void add(FinishedRecord finished);
  void say_notes();

  store::RunStore& store() { return store_; }
  const store::RunStore& store() const { return store_; }
  int64_t failed_now() const { return failed_now_; }  // in this process
  std::string text() const;                           // "records 12/7200, 1 failed"
  std::string inputs_digest() const;                  // over all samples of all datasets

 private:
  void restore(const plan::Plan& plan);
  void report_failure(const FinishedRecord& finished);

  Progress& progress_;
  store::RunStore store_;
  ImageKeeper images_;
  int64_t failed_before_ = 0, failed_now_ = 0;
  std::map<std::string, std::set<std::string>> note_samples_;
  // By the first trial that reads the same dataset, and by sample: ids are unique only within a dataset.
  std::map<std::pair<size_t, std::string>, std::string> digests_;
  std::vector<size_t> dataset_of_trial_;  // first trial with the same dataset, by trial
  std::set<std::pair<std::string, std::string>> failures_;
};

}  // namespace roundtrip::run
