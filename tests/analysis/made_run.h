// Results without a model: a run whose records a test writes by hand.
#pragma once

#include <cmath>
#include <filesystem>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "columns/columns.h"
#include "store/results_writer.h"
#include "support/temporary_folder.h"

namespace roundtrip::analysis {

inline constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

// One trial of the run.
struct MadeTrial {
  std::string method = "ddim";
  int64_t steps = 10;
  double w = 1;
  int64_t seed = 0;
};

struct MadeRun {
  std::vector<MadeTrial> trials = {MadeTrial{}};
  int64_t images = 8;
  std::vector<store::Column> metrics = {
      {"mse", store::ColumnType::kFloat64, "mean squared error", "", "lower", "mse-1"},
      {"psnr", store::ColumnType::kFloat64, "peak signal-to-noise ratio", "dB", "higher", "psnr-1"}};
  // Fills what is not the same everywhere: `values` holds the axes, status ok, and plausible numbers.
  std::function<void(const MadeTrial&, int64_t image, store::Record&)> edit = {};
  // Whether there is such a record at all.
  std::function<bool(const MadeTrial&, int64_t image)> has = {};
  std::vector<std::string> lacks = {};  // columns that a file of an earlier version does not have
  std::string config = "steps: 10\n";
  std::map<std::string, std::string> provenance = {{"processor", "an abacus"}, {"cores", "2"}, {"libtorch", "2.13.0"}};
  // Beside the table: called for each record once it is written.
  std::function<std::vector<store::ArrayView>(const MadeTrial&, int64_t image)> arrays = {};
};

// A number between 0 and 1 that depends on image and salt alone.
inline double hashed(int64_t image, int64_t salt = 0) {
  const double x = std::sin(static_cast<double>(image) * 12.9898 + static_cast<double>(salt) * 78.233) * 43758.5453;
  return x - std::floor(x);
}

inline store::Record made_record(const MadeTrial& trial, int64_t number, int64_t image, int64_t row) {
  store::Record record{.plan_row = row, .values = {}, .steps = {}};
  const double psnr = 20 + 5 * hashed(image) + std::log2(static_cast<double>(trial.steps)) - 0.5 * trial.w;
  record.values = {{"trial", number},
                   {"sample", "photos/" + std::to_string(image)},
                   {"task", std::string("reconstruct")},
                   {"method", trial.method},
                   {"editor", std::string("none")},
                   {"steps", trial.steps},
                   {"guidance_scale", trial.w},
                   {"invert_guidance_scale", 1.0},
                   {"eps_at", std::string("t")},
                   {"eta", 0.0},
                   {"seed", trial.seed},
                   {"model", std::string("tiny")},
                   {"dataset", std::string("photos")},
                   {"dtype", std::string("float32")},
                   {"input_digest", "digest-of-" + std::to_string(image)},
                   {"status", std::string("ok")},
                   {"mse", std::pow(10, -psnr / 10)},
                   {"psnr", psnr},
                   {"invert_nfe", trial.steps},
                   {"fit_nfe", int64_t{0}},
                   {"sample_nfe", trial.steps * (trial.w == 1 ? 1 : 2)},
                   {"grad_nfe", int64_t{0}},
                   {"invert_seconds", 0.01 * static_cast<double>(trial.steps) * (1 + 0.05 * hashed(image, 7))},
                   {"fit_seconds", 0.0},
                   {"sample_seconds", 0.01 * static_cast<double>(trial.steps)},
                   {"timing", std::string("isolated")}};
  for (int64_t i = 0; i <= trial.steps; ++i) {
    record.steps.push_back({.i = i,
                            .t = static_cast<double>(100 * i),
                            .pivot_distance = 0.01 * static_cast<double>(trial.steps - i) * (1 + hashed(image)),
                            .loss = kMissing});
  }
  return record;
}

// An empty stretch of a table with these columns.
inline store::TableBlock block_of(const std::vector<store::Column>& columns) {
  store::TableBlock block;
  for (const store::Column& column : columns) {
    if (column.type == store::ColumnType::kFloat64) block.columns.emplace_back(std::vector<double>());
    if (column.type == store::ColumnType::kInt64) block.columns.emplace_back(std::vector<int64_t>());
    if (column.type == store::ColumnType::kString) block.columns.emplace_back(std::vector<std::string>());
  }
  return block;
}

inline void append(const store::Record& record, const std::vector<store::Column>& columns, store::TableBlock& block) {
  for (const store::StepRow& step : record.steps) {
    block.steps.record.push_back(static_cast<int64_t>(block.plan_rows.size()));
    block.steps.i.push_back(step.i);
    block.steps.t.push_back(step.t);
    block.steps.pivot_distance.push_back(step.pivot_distance);
    block.steps.loss.push_back(step.loss);
    block.steps.inner_steps.push_back(step.inner_steps);
  }
  block.plan_rows.push_back(record.plan_row);
  for (size_t c = 0; c < columns.size(); ++c) {
    const auto value = record.values.find(columns[c].name);
    const bool there = value != record.values.end();
    if (auto* numbers = std::get_if<0>(&block.columns[c])) {
      numbers->push_back(there ? std::get<double>(value->second) : kMissing);
    } else if (auto* counts = std::get_if<1>(&block.columns[c])) {
      counts->push_back(there ? std::get<int64_t>(value->second) : -1);
    } else {
      std::get<2>(block.columns[c]).push_back(there ? std::get<std::string>(value->second) : "");
    }
  }
}

// Writes the run into `folder` and returns its results file.
inline std::filesystem::path make_run(const std::filesystem::path& folder, const MadeRun& run) {
  std::vector<store::Column> columns = columns::table_columns({}, run.metrics);
  std::erase_if(columns, [&](const store::Column& column) { return std::ranges::count(run.lacks, column.name) > 0; });
  const store::TableLayout layout{.columns = std::move(columns),
                                  .attributes = {},
                                  .trial_configs = std::vector<std::string>(run.trials.size(), run.config),
                                  .trial_ids = {},
                                  .provenance = run.provenance,
                                  .planned_records = run.images * static_cast<int64_t>(run.trials.size())};
  store::TableBlock block = block_of(layout.columns);
  std::vector<std::pair<int64_t, store::ArrayView>> arrays;
  int64_t plan_row = 0;
  for (size_t t = 0; t < run.trials.size(); ++t) {
    for (int64_t image = 0; image < run.images; ++image, ++plan_row) {
      if (run.has && !run.has(run.trials[t], image)) continue;
      store::Record record = made_record(run.trials[t], static_cast<int64_t>(t), image, plan_row);
      if (run.edit) run.edit(run.trials[t], image, record);
      const auto row = static_cast<int64_t>(block.plan_rows.size());
      if (run.arrays) {
        for (const store::ArrayView& array : run.arrays(run.trials[t], image)) arrays.emplace_back(row, array);
      }
      append(record, layout.columns, block);
    }
  }
  std::filesystem::create_directories(folder);
  const auto records = static_cast<int64_t>(block.plan_rows.size());
  store::ResultsWriter writer(folder / "results.h5", layout, records, static_cast<int64_t>(block.steps.size()));
  writer.write(block);
  for (const auto& [row, array] : arrays) writer.write_array(row, array);
  writer.finish();
  return folder / "results.h5";
}

}  // namespace roundtrip::analysis
