// Stages of a record: prepare, invert, fit, sample. Each is a coroutine whose value other records may share.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "inversion/method.h"
#include "plan/trial.h"
#include "session/noise_statistics.h"
#include "session/session.h"

namespace roundtrip::run {

using at::Tensor;
using engine::Task;

struct Prepared {
  Tensor pixels;  // [3, H, W] on [-1, 1]
  Tensor x0;      // [C, h, w]
  diffusion::Conditioning source, null;
  std::string prompt;
  double encode_seconds = 0;
  session::Scores floor;           // each metric's score of encode then decode, without diffusion
  std::vector<std::string> notes;  // changes to the image or its prompt
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
  std::vector<std::string> notes;      // warnings about the edit's ground truth
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
Task<Inverted> invert(StageContext context, const plan::Trial& trial, std::string sample_id,
                      std::shared_ptr<const Prepared> prepared);
Task<Fitted> fit(StageContext context, const plan::Trial& trial, std::string sample_id,
                 std::shared_ptr<const Prepared> prepared, std::shared_ptr<const Inverted> inverted);
// Nothing unless the trial's editor reads it. `number` is the sample's, `edit` one of its edits.
Task<Walked> walk_source(StageContext context, const plan::Trial& trial, size_t number, size_t edit,
                         std::shared_ptr<const Prepared> prepared, std::shared_ptr<const Fitted> fitted);
// Sampling and its scores. `edit` is one of the sample's, if the trial edits.
Task<Sampled> sample(StageContext context, const plan::Trial& trial, size_t number, size_t edit,
                     std::shared_ptr<const Prepared> prepared, std::shared_ptr<const Fitted> fitted,
                     std::shared_ptr<const Walked> walked);

}  // namespace roundtrip::run
