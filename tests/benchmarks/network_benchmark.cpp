// Time of a model's networks by batch size; items are rows.
//
//   network_benchmark [--benchmark_filter=...] [FOLDER]
// FOLDER is a model folder; by default tests/golden/models/tiny-sd. ROUNDTRIP_THREADS sets the threads (2).
// compare_network.py holds these times against diffusers'.
#include <cstdlib>
#include <memory>
#include <string>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <torch/csrc/autograd/autograd.h>

#include "base/error.h"
#include "model/model_folder.h"

namespace roundtrip::model {
namespace {

struct Rows {
  at::Tensor x, t;
  diffusion::Conditioning conditioning;
};

// Every row with its own timestep and noise; every second row with the same text, as guidance has it.
Rows rows_of(const Model& model, int64_t count) {
  at::manual_seed(0);
  Rows rows{.x = at::randn({count, model.latent_channels, model.sample_size[0], model.sample_size[1]}),
            .t = at::arange(count, at::kLong) * 7 % 1000,
            .conditioning = {}};
  if (model.text) {
    rows.conditioning.tokens = at::randn({count, model.text_length, model.text_channels});
    for (int64_t r = 2; r < count; r += 2) rows.conditioning.tokens[r].copy_(rows.conditioning.tokens[0]);
  }
  return rows;
}

void denoiser_eps(benchmark::State& state, const Model* model) {
  c10::NoGradGuard no_grad;
  const Rows rows = rows_of(*model, state.range(0));
  model->denoiser->eps(rows.x, rows.t, rows.conditioning);  // kernels are compiled at their first call
  for (auto _ : state) benchmark::DoNotOptimize(model->denoiser->eps(rows.x, rows.t, rows.conditioning));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void denoiser_gradient(benchmark::State& state, const Model* model) {
  Rows rows = rows_of(*model, state.range(0));
  rows.x.requires_grad_(true);
  for (auto _ : state) {
    const at::Tensor loss = model->denoiser->eps(rows.x, rows.t, rows.conditioning).square().mean();
    benchmark::DoNotOptimize(torch::autograd::grad({loss}, {rows.x}));
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void codec_encode(benchmark::State& state, const Model* model) {
  c10::NoGradGuard no_grad;
  const at::Tensor pixels = at::zeros({state.range(0), 3, model->pixel_size[0], model->pixel_size[1]});
  for (auto _ : state) benchmark::DoNotOptimize(model->codec->encode(pixels));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

int run(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  const char* threads = std::getenv("ROUNDTRIP_THREADS");
  at::set_num_threads(threads ? std::atoi(threads) : 2);
  const Model model = open_model({.path = argc > 1 ? argv[1] : ROUNDTRIP_SOURCE_DIR "/tests/golden/models/tiny-sd"});
  for (const int64_t rows : {1, 2, 8, 32, 64}) {
    const auto add = [&](const char* name, auto* measure) {
      benchmark::RegisterBenchmark(name, measure, &model)->Arg(rows)->UseRealTime()->Unit(benchmark::kMillisecond);
    };
    add("eps", &denoiser_eps);
    add("gradient", &denoiser_gradient);
    if (!model.codec->lossless()) add("encode", &codec_encode);
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

}  // namespace
}  // namespace roundtrip::model

int main(int argc, char** argv) {
  try {
    return roundtrip::model::run(argc, argv);
  } catch (const roundtrip::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
