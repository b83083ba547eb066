// Metrics on a batch of pictures; items are pairs. ROUNDTRIP_LPIPS names the module that scripts/export_lpips.py
// writes; without it LPIPS is left out.
#include <cstdlib>

#include <ATen/core/grad_mode.h>
#include <benchmark/benchmark.h>

#include "base/heap.h"
#include "metrics/metric.h"

namespace roundtrip::metrics {
namespace {

void score(benchmark::State& state, const std::string& name) {
  const at::NoGradGuard no_grad;
  keep_freed_memory();  // as the program does
  const char* lpips = std::getenv("ROUNDTRIP_LPIPS");
  MetricParams params;
  if (lpips != nullptr) params.emplace("lpips", config::Params("metric.lpips", {{"path", std::string(lpips)}}));
  const auto metric = make_metric(name, params);
  if (const std::string reason = metric->unavailable(); !reason.empty()) {
    state.SkipWithError(reason.c_str());
    return;
  }
  const at::Tensor reference = at::rand({state.range(0), 3, state.range(1), state.range(1)});
  const at::Tensor test = at::rand_like(reference);
  const Inputs inputs{.test = test, .reference = reference};
  metric->score(inputs);
  for (auto _ : state) benchmark::DoNotOptimize(metric->score(inputs));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

template <typename Benchmark>
void sizes(Benchmark* benchmark) {
  benchmark->Args({16, 64})->Args({1, 512})->UseRealTime()->MeasureProcessCPUTime()->Unit(benchmark::kMillisecond);
}

BENCHMARK_CAPTURE(score, mse, "mse")->Apply(sizes);
BENCHMARK_CAPTURE(score, psnr, "psnr")->Apply(sizes);
BENCHMARK_CAPTURE(score, ssim, "ssim")->Apply(sizes);
BENCHMARK_CAPTURE(score, lpips, "lpips")->Apply(sizes);

}  // namespace
}  // namespace roundtrip::metrics
