// Stages of a record: prepare, invert, fit, walk the source, sample; and what its result is scored against. Each is a
// coroutine whose value other records may share.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "inversion/method.h"
#include "plan/trial.h"
#include "session/edit_scores.h"
#include "session/noise_statistics.h"
#include "session/session.h"

namespace roundtrip::run {

using at::Tensor;
using engine::Task;

struct Prepared {
  Tensor pixels;           // [3, H, W] on [-1, 1]
  data::ImageSize stored;  // of the image's file
  Tensor x0;               // [C, h, w]
  diffusion::Conditioning source, null;
  std::string prompt;
  Tensor decoded;  // [3, H, W] on [-1, 1]: encoding and decoding alone, without diffusion
  double encode_seconds = 0;
  std::vector<std::string> notes;  // changes to the image or its prompt
};

// What a result is scored against.
struct Reference {
  Tensor source;                              // [3, H, W] on [-1, 1], at the protocol's size
  std::optional<session::EditTarget> target;  // of an edit, at that size
  Tensor mask;                                // of an edit, at the model's size; undefined if the dataset has none
  session::Scores floor;                      // of the codec alone, by column
  std::vector<std::string> notes;             // about the edit's ground truth
};

struct Inverted {
  inversion::Inversion inversion;
  engine::Cost cost;
  session::NoiseStatistics noise;
};

struct Fitted {
  inversion::Inversion inversion;
  engine::Cost cost;
  int64_t state_bytes = 0;  // memory that sampling needs
};

// The source prompt's own walk back, which an editor reads.
struct Walked {
  inversion::SourceWalk walk;
  engine::Cost cost;
};

struct Sampled {
  inversion::Trajectory path;          // empty unless trajectories are saved
  std::map<std::string, Tensor> kept;  // masks and maps of the edit; empty unless trajectories or images are saved
  Tensor image;                        // [3, H, W] on [-1, 1], not clamped; undefined unless images are saved
  session::Scores scores;              // by column
  std::vector<double> pivot_distance;  // by grid index: root mean square of x - pivot
  engine::Cost cost;
  double decode_seconds = 0;
};

// Context of the stages; outlives every task.
struct StageContext {
  session::Session& session;
  const data::Dataset& dataset;
  bool keep_path = false, keep_image = false;  // some trial saves them
};

Task<Prepared> prepare(StageContext context, const plan::Trial& trial, size_t sample);
// `edit` is one of the sample's, if the trial edits: some inversions read its prompt.
Task<Inverted> invert(StageContext context, const plan::Trial& trial, size_t number, size_t edit,
                      std::shared_ptr<const Prepared> prepared);
Task<Fitted> fit(StageContext context, const plan::Trial& trial, size_t number, size_t edit,
                 std::shared_ptr<const Prepared> prepared, std::shared_ptr<const Inverted> inverted);
// Nothing unless the trial's editor reads it. `number` is the sample's, `edit` one of its edits.
Task<Walked> walk_source(StageContext context, const plan::Trial& trial, size_t number, size_t edit,
                         std::shared_ptr<const Prepared> prepared, std::shared_ptr<const Fitted> fitted);
// `edit` is one of the sample's, if the trial edits.
Task<Reference> reference(StageContext context, const plan::Trial& trial, size_t number, size_t edit,
                          std::shared_ptr<const Prepared> prepared);
// Sampling and its scores.
Task<Sampled> sample(StageContext context, const plan::Trial& trial, size_t number, size_t edit,
                     std::shared_ptr<const Prepared> prepared, std::shared_ptr<const Fitted> fitted,
                     std::shared_ptr<const Walked> walked, std::shared_ptr<const Reference> reference);

}  // namespace roundtrip::run
