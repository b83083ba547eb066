#include "session/session.h"

#include <algorithm>

#include <ATen/core/grad_mode.h>

#include "base/text.h"
#include "diffusion/slices.h"
#include "engine/self_check.h"
#include "session/pixels.h"

namespace roundtrip::session {
namespace {

// With `strict`, the batch's shape is part of the arithmetic, so it is not measured.
constexpr int kStrictBatch = 16;

constexpr int64_t kMinMemory = int64_t{1} << 28;

Device configured(const SessionOptions& options) {
  configure_process(options.engine);
  return Device(options.engine.device, options.model.dtype);
}

}  // namespace

Session::Session(const SessionOptions& options)
    : device_(configured(options)),
      model_(model::open_model({.path = options.model.path,
                                .dtype = options.model.dtype,
                                .device = device_.torch(),
                                .t5_tokens = options.model.t5_tokens,
                                .shift = options.model.shift})) {
  scorer_ = std::make_unique<Scorer>(options.metrics, options.metric_params, device_.torch());
  notes_ = scorer_->unavailable();
  for (const auto& [key, file] : metrics::metric_files(options.metric_params)) {
    const std::string metric = split(key, '.')[1];
    if (std::ranges::find(options.metrics, metric) != options.metrics.end()) continue;
    notes_.push_back(fmt::format("{} is set, but {} is not among the metrics", key, metric));
  }
  make_engine(options);
  add_functions(int64_t{options.height} * options.width);
}

void Session::make_engine(const SessionOptions& options) {
  const EngineSettings& settings = options.engine;
  const bool strict = settings.determinism == Determinism::kStrict;
  const bool isolated = settings.timing == Timing::kIsolated;

  const int64_t factor = model_.pixels_per_latent;
  const Tensor x =
      at::randn({model_.latent_channels, options.height / factor, options.width / factor}, device_.networks());
  const engine::Row row(x, options.middle_time(), null_row());

  if (settings.max_batch) {
    max_batch_ = static_cast<int>(*settings.max_batch);
  } else if (strict) {
    max_batch_ = kStrictBatch;
  } else if (isolated) {
    max_batch_ = 1;  // one record at a time; each request is a separate batch
  } else {
    const int64_t memory =
        settings.memory_bytes > 0 ? settings.memory_bytes : std::max(device_.free_memory() / 2, kMinMemory);
    const engine::BatchCalibration calibration = engine::calibrate_batch(*model_.denoiser, row, memory);
    max_batch_ = calibration.max_batch;
    seconds_per_row_ = calibration.seconds_per_row;
  }
  if (strict) {
    if (std::string note = engine::pin_strict_threads(*model_.denoiser, row, options.times, max_batch_);
        !note.empty()) {
      notes_.push_back(std::move(note));
    }
  }
  const int64_t parts = diffusion::slices_that_pay(max_batch_, x.device());
  engine::EngineOptions engine_options{.batch = {.max_batch = max_batch_, .fixed_shape = strict, .parts = parts}};
  if (settings.max_live) engine_options.max_live = static_cast<int>(*settings.max_live);
  if (isolated) engine_options.max_live = 1;
  engine_ = std::make_unique<engine::Engine>(*model_.denoiser, engine_options);
}

void Session::add_functions(int64_t pixels_of_image) {
  const int rows = pictures_at_once(pixels_of_image, max_batch_);
  encode_ = &engine_->add_function(
      "encode",
      [this](const std::vector<Tensor>& inputs) {
        const auto posterior = model_.codec->encode(inputs[0]);
        return std::vector<Tensor>{posterior.mean, posterior.std};
      },
      rows);
  decode_ = &engine_->add_function(
      "decode",
      [this](const std::vector<Tensor>& inputs) { return std::vector<Tensor>{model_.codec->decode(inputs[0])}; }, rows);
  scorer_->join(*engine_, rows);
}

Tensor Session::pixels(const data::Image& image) const { return to_pixels(image, device_.states()); }

const Session::Embedding& Session::embedding(const std::string& prompt) {
  const auto found = embeddings_.find(prompt);
  if (found != embeddings_.end()) return found->second;
  const at::NoGradGuard no_grad;
  Embedding embedding;
  if (model_.text) {
    auto encoded = model_.text->encode(prompt);
    embedding = {std::move(encoded.conditioning), encoded.dropped_tokens};
  }
  return embeddings_.emplace(prompt, std::move(embedding)).first->second;
}

diffusion::Conditioning Session::null_row() {
  const diffusion::Conditioning& null = embedding("").conditioning;
  return diffusion::guided(model_.guidance, {null, null}, 1).conditional;
}

std::optional<text::PromptTokens> Session::prompt_tokens(const std::string& prompt) const {
  return model_.text ? model_.text->tokens(prompt) : std::nullopt;
}

}  // namespace roundtrip::session
