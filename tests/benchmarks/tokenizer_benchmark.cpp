// Prompts to token ids, with the small vocabulary of tests/golden: plain English, and text that exercises Unicode.
#include <benchmark/benchmark.h>

#include "text/clip_tokenizer.h"

namespace roundtrip::text {
namespace {

void encode(benchmark::State& state, const char* prompt) {
  const auto tokenizer = ClipTokenizer::open(ROUNDTRIP_SOURCE_DIR "/tests/golden/models/tiny-sd/tokenizer");
  for (auto _ : state) benchmark::DoNotOptimize(tokenizer.encode(prompt));
  state.SetItemsProcessed(state.iterations());
}

void open(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(ClipTokenizer::open(ROUNDTRIP_SOURCE_DIR "/tests/golden/models/tiny-sd/tokenizer"));
  }
}

BENCHMARK_CAPTURE(encode, english, "a round cake with orange frosting on a wooden plate");
BENCHMARK_CAPTURE(encode, unicode, "Zwei naïve Füchse (4k, 精细的细节) läuft’s 🦊🦊 über den Fluß");
BENCHMARK(open)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace roundtrip::text
