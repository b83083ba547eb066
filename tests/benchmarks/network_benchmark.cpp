// Time of a model's networks by batch size; items are rows.
//
//   network_benchmark [--benchmark_filter=...] [FOLDER [DTYPE]]
// FOLDER is a model folder, by default tests/golden/models/tiny-sd; DTYPE is what model.dtype takes. ROUNDTRIP_THREADS
// sets the threads (2). `gradient` is of the text's embedding, as tuning takes it, or of x where there is no text.
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
#include "base/heap.h"
#include "model/model_folder.h"

namespace roundtrip::model {
namespace {

struct Rows {
  at::Tensor x, t;
  diffusion::Conditioning conditioning;
};

struct Bench {
  Model model;
  at::ScalarType dtype;
};

// Every row with its own timestep and noise; every second row with the same text, as guidance has it.
Rows rows_of(const Bench& bench, int64_t count) {
  const Model& model = bench.model;
  at::manual_seed(0);
  Rows rows{.x = at::randn({count, model.latent_channels, model.sample_size[0], model.sample_size[1]}).to(bench.dtype),
            .t = (at::arange(count, at::kLong) * 7 % 1000).to(at::kDouble),
            .conditioning = {}};
  const diffusion::Conditioning empty = model.text ? model.text->encode("").conditioning : diffusion::Conditioning();
  if (empty.pooled.defined()) {  // SD3, FLUX and SDXL: a real prompt, whose rows may be equal
    const std::vector<const diffusion::Conditioning*> same(count, &empty);
    rows.conditioning = diffusion::stack(same);
  } else if (empty.tokens.defined()) {
    rows.conditioning.tokens = at::randn({count, model.text_length, model.text_channels}).to(bench.dtype);
    for (int64_t r = 2; r < count; r += 2) rows.conditioning.tokens[r].copy_(rows.conditioning.tokens[0]);
  }
  return rows;
}

void denoiser_eps(benchmark::State& state, const Bench* bench) {
  c10::NoGradGuard no_grad;
  const Rows rows = rows_of(*bench, state.range(0));
  diffusion::Denoiser& denoiser = *bench->model.denoiser;
  denoiser.out({rows.x, rows.t, rows.conditioning});  // kernels are compiled at their first call
  for (auto _ : state) benchmark::DoNotOptimize(denoiser.out({rows.x, rows.t, rows.conditioning}));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void denoiser_gradient(benchmark::State& state, const Bench* bench) {
  Rows rows = rows_of(*bench, state.range(0));
  at::Tensor& wanted = bench->model.text ? rows.conditioning.tokens : rows.x;
  wanted.requires_grad_(true);
  const auto gradient = [&] {
    const at::Tensor eps = bench->model.denoiser->out({rows.x, rows.t, rows.conditioning});
    return torch::autograd::grad({eps.square().mean()}, {wanted});
  };
  gradient();
  for (auto _ : state) benchmark::DoNotOptimize(gradient());
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void codec_encode(benchmark::State& state, const Bench* bench) {
  c10::NoGradGuard no_grad;
  const auto [height, width] = bench->model.pixel_size;
  const at::Tensor pixels = at::zeros({state.range(0), 3, height, width}, bench->dtype);
  for (auto _ : state) benchmark::DoNotOptimize(bench->model.codec->encode(pixels));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void codec_decode(benchmark::State& state, const Bench* bench) {
  c10::NoGradGuard no_grad;
  const Rows rows = rows_of(*bench, state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(bench->model.codec->decode(rows.x));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void text_encode(benchmark::State& state, const Bench* bench) {
  c10::NoGradGuard no_grad;
  for (auto _ : state)
    benchmark::DoNotOptimize(bench->model.text->encode("a small red circle above a large blue square"));
  state.SetItemsProcessed(state.iterations());
}

int run(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  const char* threads = std::getenv("ROUNDTRIP_THREADS");
  at::set_num_threads(threads ? std::atoi(threads) : 2);
  const std::string dtype = argc > 2 ? argv[2] : "float32";
  const std::string folder = argc > 1 ? argv[1] : ROUNDTRIP_SOURCE_DIR "/tests/golden/models/tiny-sd";
  const Bench bench{open_model({.path = folder, .dtype = dtype}), dtype_of(dtype)};
  if (bench.model.text)
    benchmark::RegisterBenchmark("text", &text_encode, &bench)->UseRealTime()->Unit(benchmark::kMillisecond);
  for (const int64_t rows : {1, 2, 8, 32, 64}) {
    const auto add = [&](const char* name, auto* measure) {
      benchmark::RegisterBenchmark(name, measure, &bench)->Arg(rows)->UseRealTime()->Unit(benchmark::kMillisecond);
    };
    add("eps", &denoiser_eps);
    add("gradient", &denoiser_gradient);
    if (bench.model.codec->lossless()) continue;
    add("encode", &codec_encode);
    add("decode", &codec_decode);
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

}  // namespace
}  // namespace roundtrip::model

int main(int argc, char** argv) {
  roundtrip::keep_freed_memory();  // as the program does
  try {
    return roundtrip::model::run(argc, argv);
  } catch (const roundtrip::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
