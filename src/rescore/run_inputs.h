// Datasets of a finished run, reopened for captions and the answers to edits. They must equal those of the run.
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

// Inputs of a record, as stored in a results file.
struct RecordInputs {
  size_t trial = 0;
  std::string sample, edit, digest;  // the columns `sample`, `edit`, `input_digest`
};

class RunInputs {
 public:
  explicit RunInputs(const std::vector<plan::Trial>& trials) : trials_(trials) {}  // `trials` must outlive this object

  // Returns what the record's picture is scored against besides its `source` [3, H, W]: the caption, and the answer of
  // an edit. Opens a dataset on first use. Throws kInput if the image is missing, or differs from the run's.
  session::EditTarget target(const RecordInputs& record, const Tensor& source);

 private:
  struct Opened {
    std::unique_ptr<data::Dataset> dataset;
    std::unordered_map<std::string, size_t> number;  // by sample
    std::map<size_t, std::string> digests;           // of the samples read so far
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
