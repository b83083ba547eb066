// One record: the stages of a trial on a sample, from shared work where there is some, to a row of results.
#pragma once

#include <functional>
#include <map>

#include "plan/keys.h"
#include "run/stages.h"
#include "store/record.h"

namespace roundtrip::run {

// A finished record with what goes beside it. The arrays point into the tensors.
struct FinishedRecord {
  store::Record record;
  std::vector<store::ArrayView> arrays;
  std::vector<Tensor> storage;
  const plan::Trial* trial = nullptr;
  std::string sample;  // its id, and after a blank the edit's name
  bool failed = false;
  std::string error;               // one line
  Tensor image, source;            // u8 [H, W, 3], where images are saved: what came back, and of what
  std::vector<std::string> notes;  // of the sample, to be said once
};

// A record of one sample that is to be made.
struct PlannedRecord {
  const plan::Trial* trial = nullptr;
  size_t edit = 0;  // one of the sample's, where the trial edits
  int64_t row = 0;  // of the plan
};

using RecordSink = std::function<void(FinishedRecord)>;

class RecordMaker {
 public:
  RecordMaker(StageContext context, int dataset_number, RecordSink sink)
      : context_(context), dataset_number_(dataset_number), sink_(std::move(sink)) {}

  // Never throws: what fails becomes a failed record that says where.
  Task<void> make(PlannedRecord planned, size_t sample) const;

  // Announces the readers of every key that these records will ask for on one sample.
  void expect(const std::vector<PlannedRecord>& records, size_t sample) const;

 private:
  Task<void> fill(const plan::Trial& trial, size_t sample, size_t edit, FinishedRecord& finished) const;
  plan::RecordKeys keys_of(const plan::Trial& trial, size_t sample, size_t edit) const;
  const std::string& digest_of(size_t sample) const;

  StageContext context_;
  int dataset_number_;
  RecordSink sink_;
  mutable std::map<size_t, std::string> digests_;  // of the samples seen
};

}  // namespace roundtrip::run
