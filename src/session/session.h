// Loaded model: its networks on a device, an engine over them, batched codec and metrics, and the embeddings of the
// prompts so far.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "data/sample.h"
#include "engine/auto_batch.h"
#include "engine/engine.h"
#include "model/model_folder.h"
#include "session/device.h"
#include "session/scorer.h"
#include "session/session_options.h"
#include "text/prompt_tokens.h"

namespace roundtrip::session {

class Session {
 public:
  explicit Session(const SessionOptions& options);

  engine::Engine& engine() { return *engine_; }
  const model::Model& model() const { return model_; }
  const Device& device() const { return device_; }
  // Lines for the user: a lowered thread count, unavailable metrics.
  const std::vector<std::string>& notes() const { return notes_; }
  int max_batch() const { return max_batch_; }
  double seconds_per_row() const { return seconds_per_row_; }  // 0 if the batch was given, not measured

  // Converts u8 pixels to [3, H, W] on [-1, 1], with the type of Device::states().
  Tensor pixels(const data::Image& image) const;

  // Embedding of a prompt. Equal prompts share one storage; guidance compares storages to see that one row is enough.
  struct Embedding {
    diffusion::Conditioning conditioning;
    int dropped_tokens = 0;
  };
  const Embedding& embedding(const std::string& prompt);

  // The conditioning of one row of the null prompt at w = 1, for measurements.
  diffusion::Conditioning null_row();

  // The tokens of a prompt, between its marks and uncut; nothing where the model has no tokenizer.
  std::optional<text::PromptTokens> prompt_tokens(const std::string& prompt) const;

  // Batched: encode pixels [3, H, W] to latent mean and std; decode a latent; score a reconstruction by every metric.
  engine::BatchedFunction& encode() { return *encode_; }
  engine::BatchedFunction& decode() { return *decode_; }
  Scorer& scorer() { return *scorer_; }

 private:
  void make_engine(const SessionOptions& options);
  void add_functions(int64_t pixels_of_image);

  Device device_;
  model::Model model_;
  std::unique_ptr<Scorer> scorer_;
  std::vector<std::string> notes_;
  int max_batch_ = 1;
  double seconds_per_row_ = 0;
  std::unique_ptr<engine::Engine> engine_;
  engine::BatchedFunction* encode_ = nullptr;
  engine::BatchedFunction* decode_ = nullptr;
  std::unordered_map<std::string, Embedding> embeddings_;
};

}  // namespace roundtrip::session
