// Composes, resolves and type-checks a sweep of 100,000 trials over six axes. What must hold: less than 2 s and 300 MB.
#include <sys/resource.h>

#include <benchmark/benchmark.h>

#include "config/launch.h"

namespace roundtrip::config {
namespace {

Schema schema_of_the_axes() {
  Schema schema;
  const Composition composition = Composer(SearchPath::built_in(), "config").compose(std::vector<Override>{});
  for (const auto& entry : composition.job.dict()) {
    if (entry.value.is_dict()) schema.add_open_section(entry.key().text);
  }
  schema.add({"task", Type::string()});
  schema.add({"steps", Type::integer().range(1, 1000)});
  schema.add({"guidance_scale", Type::number()});
  schema.add({"invert_guidance_scale", Type::number().or_null()});
  schema.add({"eps_at", Type::one_of({"t", "t-1"})});
  schema.add({"eta", Type::number().range(0, 1)});
  schema.add({"seed", Type::integer().min(0)});
  schema.add({"null_prompt", Type::string()});
  schema.add({"metrics", Type::list(Type::string())});
  return schema;
}

void BM_PrepareSweep(benchmark::State& state) {
  const Schema schema = schema_of_the_axes();
  // 2 x 10 x 10 x 2 x 5 x 50 = 100,000
  const Flags flags =
      parse_flags({"-m", "model.path=M", "dataset.path=D", "method=ddim,forward_noise", "steps=range(10,110,10)",
                   "guidance_scale=range(1,6,0.5)", "eps_at=t,t-1", "eta=0,0.25,0.5,0.75,1", "seed=range(50)"});
  size_t jobs = 0;
  for (auto unused : state) {
    const Launch launch = prepare(flags, schema, search_path(flags));
    jobs = launch.jobs.size();
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    state.counters["peak_MB"] = static_cast<double>(usage.ru_maxrss) / 1000;
  }
  state.counters["trials"] = static_cast<double>(jobs);
}
BENCHMARK(BM_PrepareSweep)->Unit(benchmark::kMillisecond)->Iterations(1)->Repetitions(3);

}  // namespace
}  // namespace roundtrip::config
