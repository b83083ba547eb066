// A model ready for work: its networks on a device, an engine over them, batched codec and metrics, and the embeddings
// of the prompts seen so far.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/auto_batch.h"
#include "engine/engine.h"
#include "metrics/metric.h"
#include "model/model_folder.h"
#include "run/trial.h"

namespace roundtrip::run {

using at::Tensor;

struct WorkbenchOptions {
  ModelSettings model;
  EngineSettings engine;
  std::vector<std::string> metrics;  // every metric that some trial asks for
  std::string lpips_path, attributes_path, clip_path;
  int height = 0, width = 0;  // of the largest images
};

class Workbench {
 public:
  explicit Workbench(const WorkbenchOptions& options);

  engine::Engine& engine() { return *engine_; }
  const model::Model& model() const { return model_; }
  const std::vector<std::unique_ptr<metrics::Metric>>& metrics() const { return metrics_; }
  // What was settled and measured on the way, a line each: threads, batch, metrics that are not available.
  const std::vector<std::string>& notes() const { return notes_; }
  int max_batch() const { return max_batch_; }
  double seconds_per_row() const { return seconds_per_row_; }  // 0 where the batch was given, not measured

  // u8 pixels -> [3, H, W] on [-1, 1], float64 where the networks are, else float32: only networks run in half
  // precision, latents and embeddings never do.
  Tensor pixels(const data::Image& image) const;

  // 0 or 1 for each pixel -> [1, H, W] bool.
  Tensor mask(const std::vector<uint8_t>& marked, int64_t height, int64_t width) const;

  // The embedding of a prompt: equal prompts share one storage, which is how guidance sees that one row is enough.
  struct Embedding {
    diffusion::Conditioning conditioning;
    int dropped_tokens = 0;
  };
  const Embedding& embedding(const std::string& prompt);

  // Batched: latent mean and std of pixels [3, H, W]; pixels of a latent; every metric of a reconstruction.
  engine::Station& encode() { return *encode_; }
  engine::Station& decode() { return *decode_; }
  // `compared` -> [M] float64, a score per metric; images on [-1, 1], clamped here to [0, 1].
  engine::Station& score() { return *score_; }

  // What `score` takes: two images, two latents, and what each metric on captions wants of `caption`.
  std::vector<Tensor> compared(Tensor reference, Tensor test, Tensor x0, Tensor x, const std::string& caption) const;

 private:
  void open_metrics(const WorkbenchOptions& options);
  void settle_engine(const WorkbenchOptions& options);
  void add_stations(int64_t pixels_of_image);

  at::ScalarType dtype_;
  model::Model model_;
  at::Device device_ = at::kCPU;
  std::vector<std::unique_ptr<metrics::Metric>> metrics_;
  std::vector<std::string> notes_;
  int max_batch_ = 1;
  double seconds_per_row_ = 0;
  std::unique_ptr<engine::Engine> engine_;
  engine::Station* encode_ = nullptr;
  engine::Station* decode_ = nullptr;
  engine::Station* score_ = nullptr;
  std::unordered_map<std::string, Embedding> embeddings_;
};

// engine.device as a device; throws kType for one that makes no sense or is not there.
at::Device device_of(const std::string& name);

}  // namespace roundtrip::run
