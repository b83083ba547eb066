// A run's records from the first append to results.h5 and back, in the order in which a sweep makes them: sample by
// sample, so that every shard holds rows from all over the plan. `peak_MiB` is the largest resident memory of the whole
// process: run one size at a time (--benchmark_filter=/1000000).
#include <filesystem>
#include <sys/resource.h>

#include <benchmark/benchmark.h>

#include "columns/columns.h"
#include "store/results_reader.h"
#include "store/run_store.h"

namespace roundtrip::store {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kTrials = 200;

TableLayout layout_of(int64_t records) {
  std::vector<Column> metrics;
  for (const char* name : {"mse", "psnr", "codec_psnr", "ssim", "lpips", "codec_lpips", "latent_mse"}) {
    metrics.push_back({name, ColumnType::kFloat64, name, "", "lower", "1"});
  }
  TableLayout layout;
  layout.columns = columns::table_columns({}, metrics);
  layout.trial_configs.assign(kTrials, "steps: 50\n");
  layout.planned_records = records;
  return layout;
}

Record record_of(const std::vector<Column>& columns, int64_t trial, int64_t sample, int64_t row) {
  Record record{.plan_row = row, .values = {}, .steps = {}};
  for (size_t k = 0; k < columns.size(); ++k) {
    switch (columns[k].type) {
      case ColumnType::kFloat64:
        record.values[columns[k].name] = 0.001 * static_cast<double>((row * 31 + static_cast<int64_t>(k)) % 99991);
        break;
      case ColumnType::kInt64:
        record.values[columns[k].name] = trial;
        break;
      case ColumnType::kString:
        record.values[columns[k].name] = "photo-" + std::to_string(sample);
        break;
    }
  }
  return record;
}

double peak_mebibytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

void write_and_read(benchmark::State& state) {
  const int64_t records = state.range(0), samples = records / kTrials;
  const fs::path run = fs::temp_directory_path() / ("roundtrip-store-benchmark-" + std::to_string(getpid()));
  for (auto _ : state) {
    RunStore store(run, layout_of(records));
    const std::vector<Column> columns = store.layout().columns;
    for (int64_t sample = 0; sample < samples; ++sample) {
      for (int64_t trial = 0; trial < kTrials; ++trial) {
        store.append(record_of(columns, trial, sample, trial * samples + sample));
      }
    }
    const ResultsReader results(store.finish());
    constexpr int64_t kStretch = 1 << 14;
    for (int64_t first = 0; first < records; first += kStretch) {
      const int64_t count = std::min(kStretch, records - first);
      for (const Column& column : results.columns()) {
        if (column.type == ColumnType::kString) {
          benchmark::DoNotOptimize(results.texts(column.name, first, count));
        } else {
          benchmark::DoNotOptimize(results.numbers(column.name, first, count));
        }
      }
    }
    state.counters["file_MiB"] = static_cast<double>(fs::file_size(results.path())) / (1 << 20);
    fs::remove_all(run);
  }
  state.counters["peak_MiB"] = peak_mebibytes();
  state.SetItemsProcessed(state.iterations() * records);
}

BENCHMARK(write_and_read)->Arg(10'000)->Arg(100'000)->Arg(1'000'000)->Iterations(1)->Unit(benchmark::kSecond);

}  // namespace
}  // namespace roundtrip::store
