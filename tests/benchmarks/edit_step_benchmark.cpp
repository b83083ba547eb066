// One step of Prompt-to-Prompt against a plain step of as many rows, in turns: time and peak memory.
//
//   edit_step_benchmark [--benchmark_filter=...] [FOLDER [TURNS]]
// FOLDER is a model folder with attention to text, by default models/scenes; TURNS (5) is how often each is timed.
// ROUNDTRIP_THREADS sets the threads (2). An edit asks for three rows: the target's conditional and unconditional one,
// and the source's. `refined` maps the cross-attention with both terms, `replaced` with the source's alone (d = 0);
// both take the self maps of the source in layers of at most 1024 tokens and watch words, as inside both windows of
// editor=prompt_to_prompt with a blend.
//
// Linked rows stay on one thread, which three plain rows do not, so a comparison is fair where the requests divide
// among the threads. `ratio` is the median over the turns of edited to plain time; `memory` is the ratio of the
// processes' peaks and `work` that of what a step adds to the memory in use before it.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "base/error.h"
#include "base/heap.h"
#include "base/stopwatch.h"
#include "model/model_folder.h"
#include "session/peak_memory.h"

namespace roundtrip {
namespace {

using diffusion::AttentionPlan;
using diffusion::Place;

constexpr int64_t kRows = 3;  // of a request
constexpr int kTarget = 0, kSource = 2;

enum class Form { kRefined, kReplaced };

// Refine with a new word, doubled by the equalizer: the words after it take their maps from one column before.
diffusion::Mix refined(int64_t L) {
  constexpr int64_t kNew = 5;
  at::Tensor P = at::eye(L);
  P.slice(1, kNew).zero_();
  P.slice(1, kNew + 1).copy_(at::eye(L).slice(1, kNew, L - 1));
  at::Tensor d = at::zeros({L});
  d[kNew] = 2;
  return {.sites = {}, .row = kTarget, .source = kSource, .P = P, .d = d};
}

diffusion::Mix replaced(int64_t L) {
  return {.sites = {}, .row = kTarget, .source = kSource, .P = at::eye(L), .d = at::zeros({L})};
}

std::shared_ptr<const AttentionPlan> plan_of(const model::Model& model, Form form) {
  const int64_t L = model.text_length;
  const auto [h, w] = model.sample_size;
  const int64_t blend_tokens = (h / 4) * (w / 4);
  const diffusion::Sites watched{
      .places = {Place::kDown, Place::kUp}, .min_tokens = blend_tokens, .max_tokens = blend_tokens};
  at::Tensor words = at::zeros({L});
  words[4] = 1;
  AttentionPlan plan;
  plan.mixes.push_back(form == Form::kRefined ? refined(L) : replaced(L));
  plan.routes.push_back({.sites = {.max_tokens = 1024}, .row = kTarget, .source = kSource});
  plan.watches.push_back({.sites = watched, .row = kTarget, .columns = words});
  plan.watches.push_back({.sites = watched, .row = kSource, .columns = words});
  return std::make_shared<const AttentionPlan>(std::move(plan));
}

// Rows of so many edits, each at a timestep of its own.
diffusion::Batch rows_of(const model::Model& model, int64_t requests) {
  at::manual_seed(0);
  const int64_t rows = requests * kRows;
  return {.x = at::randn({rows, model.latent_channels, model.sample_size[0], model.sample_size[1]}),
          .t = (at::arange(rows, at::kLong).floor_divide(kRows) * 37 % 1000 + 1).to(at::kDouble),
          .conditioning = {.tokens = at::randn({rows, model.text_length, model.text_channels})}};
}

// The same rows with a plan for each request.
diffusion::Batch linked(diffusion::Batch batch, const std::shared_ptr<const AttentionPlan>& plan) {
  for (int64_t first = 0; first < batch.x.size(0); first += kRows) batch.linked.push_back({first, kRows, plan});
  return batch;
}

struct Seconds {
  double wall = 0, cpu = 0;  // of all threads
};

Seconds seconds_of(model::Model& model, const diffusion::Batch& batch) {
  const Stopwatch stopwatch;
  const std::clock_t start = std::clock();
  benchmark::DoNotOptimize(model.denoiser->out(batch));
  return {stopwatch.seconds(), static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC};
}

struct Peak {
  int64_t process, step;  // bytes; the step's are those above what was in use before it
};

Peak peak_of(model::Model& model, const diffusion::Batch& batch) {
  const session::PeakMemory memory;
  const int64_t before = memory.bytes();
  benchmark::DoNotOptimize(model.denoiser->out(batch));
  return {memory.bytes(), memory.bytes() - before};
}

double median(std::vector<double> values) {
  std::ranges::nth_element(values, values.begin() + std::ssize(values) / 2);
  return values[values.size() / 2];
}

void step(benchmark::State& state, model::Model* model, Form form) {
  const at::NoGradGuard no_grad;
  const diffusion::Batch plain = rows_of(*model, state.range(0));
  const diffusion::Batch edited = linked(plain, plan_of(*model, form));
  model->denoiser->out(plain);  // kernels are compiled at their first call
  model->denoiser->out(edited);
  const Peak plain_peak = peak_of(*model, plain), edited_peak = peak_of(*model, edited);
  std::vector<double> plain_times, ratios, cpu_ratios;
  for (auto _ : state) {
    // Each goes first in every second turn, so that a machine that slows down favours neither.
    std::array<Seconds, 2> seconds;
    const size_t first = ratios.size() % 2;
    for (const size_t which : {first, 1 - first}) seconds[which] = seconds_of(*model, which == 0 ? plain : edited);
    const auto& [of_plain, of_edited] = seconds;
    plain_times.push_back(of_plain.wall);
    ratios.push_back(of_edited.wall / of_plain.wall);
    cpu_ratios.push_back(of_edited.cpu / of_plain.cpu);
    state.SetIterationTime(of_edited.wall);
  }
  const auto ratio_of = [](int64_t a, int64_t b) { return static_cast<double>(a) / static_cast<double>(b); };
  state.counters["plain_ms"] = 1000 * median(plain_times);
  state.counters["ratio"] = median(ratios);
  state.counters["ratio_min"] = std::ranges::min(ratios);
  state.counters["ratio_max"] = std::ranges::max(ratios);
  state.counters["cpu_ratio"] = median(cpu_ratios);
  state.counters["memory"] = ratio_of(edited_peak.process, plain_peak.process);
  state.counters["work"] = ratio_of(edited_peak.step, plain_peak.step);
  state.counters["work_MiB"] = static_cast<double>(edited_peak.step) / (1 << 20);
}

int run(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  const char* threads = std::getenv("ROUNDTRIP_THREADS");
  at::set_num_threads(threads ? std::atoi(threads) : 2);
  const std::string folder = argc > 1 ? argv[1] : ROUNDTRIP_SOURCE_DIR "/models/scenes";
  model::Model model = model::open_model({.path = folder});
  if (!model.text || !model.denoiser->takes_plans()) {
    throw input_error(folder, "has no attention to text", "a text-conditional UNet");
  }
  const int turns = argc > 2 ? std::atoi(argv[2]) : 5;
  for (const int64_t requests : {1, 2, 10}) {
    for (const auto& [name, form] : {std::pair{"refined", Form::kRefined}, std::pair{"replaced", Form::kReplaced}}) {
      benchmark::RegisterBenchmark(name, &step, &model, form)
          ->ArgName("requests")
          ->Arg(requests)
          ->Iterations(turns)
          ->UseManualTime()
          ->Unit(benchmark::kMillisecond);
    }
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

}  // namespace
}  // namespace roundtrip

int main(int argc, char** argv) {
  roundtrip::keep_freed_memory();  // as the program does
  try {
    return roundtrip::run(argc, argv);
  } catch (const roundtrip::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
