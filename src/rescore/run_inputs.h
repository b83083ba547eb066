// The datasets of a run that has ended, looked at again: captions, and the answers to edits, as long as they are what
// the run saw.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "data/dataset.h"
#include "plan/trial.h"
#include "session/edit_scores.h"

namespace roundtrip::rescore {

using at::Tensor;

// What a results file says of a record's inputs.
struct RecordInputs {
  size_t trial = 0;
  std::string sample, edit, digest;  // the columns `sample`, `edit`, `input_digest`
};

class RunInputs {
 public:
  explicit RunInputs(const std::vector<plan::Trial>& trials) : trials_(trials) {}  // they outlive it

  // What the record's picture is held against besides its `source` [3, H, W]: the caption, and of an edit its answer.
  // A dataset is opened when it is first asked. Throws kInput where the image is gone, or is not the run's.
  session::EditTarget target(const RecordInputs& record, const Tensor& source);

 private:
  struct Opened {
    std::unique_ptr<data::Dataset> dataset;
    std::unordered_map<std::string, size_t> number;  // by sample
    std::map<size_t, std::string> digests;           // of the samples seen
  };
  struct Found {
    const data::Dataset& dataset;
    size_t number;
  };

  Opened& opened(data::DatasetOptions options);
  Found find(const RecordInputs& record, const Tensor& source);

  const std::vector<plan::Trial>& trials_;
  std::vector<std::pair<data::DatasetOptions, Opened>> opened_;
};

}  // namespace roundtrip::rescore
