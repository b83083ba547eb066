// The DDIM step on one row of a Stable Diffusion latent, and the engine's stacking of rows: the arithmetic of a method
// that is not its network's.
#include <benchmark/benchmark.h>

#include "diffusion/cfg.h"
#include "diffusion/step_grid.h"
#include "engine/row_batch.h"

namespace roundtrip {
namespace {

void step(benchmark::State& state) {
  const at::Tensor x = at::randn({4, state.range(0), state.range(0)}), eps = at::randn_like(x);
  const diffusion::StepGrid grid = diffusion::ddim_grid(diffusion::NoiseSchedule({}), 50);
  for (auto _ : state) benchmark::DoNotOptimize(grid.step(x, eps, 20, 21));
  state.SetItemsProcessed(state.iterations());
}

void cfg(benchmark::State& state) {
  const at::Tensor conditional = at::randn({4, state.range(0), state.range(0)});
  const at::Tensor unconditional = at::randn_like(conditional);
  for (auto _ : state) benchmark::DoNotOptimize(diffusion::cfg({conditional, unconditional}, 7.5));
  state.SetItemsProcessed(state.iterations());
}

void stack_rows(benchmark::State& state) {
  std::vector<engine::Row> rows;
  for (int k = 0; k < 16; ++k) {
    rows.emplace_back(at::randn({4, state.range(0), state.range(0)}), k,
                      diffusion::Conditioning{.tokens = at::randn({77, 768})});
  }
  std::vector<const engine::Row*> pointers;
  for (const engine::Row& row : rows) pointers.push_back(&row);
  for (auto _ : state) benchmark::DoNotOptimize(engine::make_batch(pointers, 16));
  state.SetItemsProcessed(state.iterations() * 16);
}

BENCHMARK(step)->Arg(8)->Arg(64);
BENCHMARK(cfg)->Arg(8)->Arg(64);
BENCHMARK(stack_rows)->Arg(8)->Arg(64);

}  // namespace
}  // namespace roundtrip
