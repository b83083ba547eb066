// Composes, resolves and type-checks a sweep of 100,000 trials over six axes. What must hold: less than 2 s and 300 MB.
#include <sys/resource.h>

#include <benchmark/benchmark.h>

#include "config/launch.h"
#include "support/small_schema.h"

namespace roundtrip::config {
namespace {

// 2 x 10 x 10 x 2 x 5 x 50 = 100,000
const std::vector<std::string> kSweep = {
    "-m",           "model.path=M",          "dataset.path=D", "method=ddim,forward_noise",    "steps=range(10,110,10)",
    "eps_at=t,t-1", "eta=0,0.25,0.5,0.75,1", "seed=range(50)", "guidance_scale=range(1,6,0.5)"};

void prepare_sweep(benchmark::State& state, const std::vector<std::string>& more) {
  const Schema schema = testing::small_schema();
  std::vector<std::string> words = kSweep;
  words.insert(words.end(), more.begin(), more.end());
  const hydra::Flags flags = hydra::parse_flags(words);
  size_t jobs = 0;
  for (auto unused : state) {
    const hydra::Launch launch = prepare(flags, schema, search_path(flags));
    jobs = launch.jobs.size();
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    state.counters["peak_MB"] = static_cast<double>(usage.ru_maxrss) / 1000;
  }
  state.counters["trials"] = static_cast<double>(jobs);
}

void BM_PrepareSweep(benchmark::State& state) { prepare_sweep(state, {}); }
BENCHMARK(BM_PrepareSweep)->Unit(benchmark::kMillisecond)->Iterations(1)->Repetitions(3);

// Two keys follow what is swept, so that every job resolves anew.
void BM_PrepareSweepWithInterpolations(benchmark::State& state) {
  prepare_sweep(state, {"invert_guidance_scale=${guidance_scale}", "null_prompt='${method.name} at ${steps}'"});
}
BENCHMARK(BM_PrepareSweepWithInterpolations)->Unit(benchmark::kMillisecond)->Iterations(1)->Repetitions(3);

}  // namespace
}  // namespace roundtrip::config
