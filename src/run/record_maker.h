// Makes one record: runs the stages of a trial on a sample, with shared work where possible, up to a record of results.
#pragma once

#include <functional>
#include <map>

#include "plan/keys.h"
#include "run/stages.h"
#include "store/record.h"

namespace roundtrip::run {

// Finished record with its arrays and pictures. The arrays point into the tensors.
struct FinishedRecord {
  store::Record record;
  std::vector<store::ArrayView> arrays;
  std::vector<Tensor> storage;
  const plan::Trial* trial = nullptr;
  std::string sample;  // its id, and after a space the edit's name
  bool failed = false;
  std::string error;                   // one line
  Tensor image, source;                // u8 [H, W, 3], if images are saved: the result and its source
  std::map<std::string, Tensor> maps;  // and what bounded an edit, u8 [..., H, W], by the group that keeps it
  std::vector<std::string> notes;      // of the sample, printed once
};

// Record to be made of a sample.
struct PlannedRecord {
  const plan::Trial* trial = nullptr;
  size_t edit = 0;  // one of the sample's, if the trial edits
  int64_t row = 0;  // row in the plan
};

using RecordSink = std::function<void(FinishedRecord)>;

class RecordMaker {
 public:
  RecordMaker(StageContext context, int dataset_number, RecordSink sink)
      : context_(context), dataset_number_(dataset_number), sink_(std::move(sink)) {}

  // Never throws: an error becomes a failed record that names the stage.
  Task<void> make(PlannedRecord planned, size_t sample) const;

  // Announces the readers of every key that these records will use on one sample.
  void expect(const std::vector<PlannedRecord>& records, size_t sample) const;

 private:
  Task<void> fill(const plan::Trial& trial, size_t sample, size_t edit, FinishedRecord& finished) const;
  plan::RecordKeys keys_of(const plan::Trial& trial, size_t sample, size_t edit) const;
  const std::string& digest_of(size_t sample) const;

  StageContext context_;
  int dataset_number_;
  RecordSink sink_;
  mutable std::map<size_t, std::string> digests_;  // of the samples read so far
};

}  // namespace roundtrip::run
