#include "run/runner.h"

#include <algorithm>
#include <set>

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include "base/hash.h"
#include "base/progress.h"
#include "base/text.h"
#include "run/edit_scores.h"
#include "run/image_keeper.h"
#include "run/record_maker.h"
#include "run/summary.h"
#include "store/columns.h"
#include "store/run_store.h"

namespace roundtrip::run {
namespace {

store::TableLayout layout_of(const Plan& plan, const std::vector<store::Column>& metrics) {
  std::vector<store::Column> parameters;
  for (const std::string& key : plan.parameters) {
    // A parameter's column takes the type that all its values have; mixed ones become text.
    store::ColumnType type = store::ColumnType::kInt64;
    for (const Trial& trial : plan.trials) {
      const store::Value& value = trial.swept.at(key);
      if (std::holds_alternative<std::string>(value)) type = store::ColumnType::kString;
      const bool number = std::holds_alternative<double>(value) || std::holds_alternative<std::monostate>(value);
      if (number && type == store::ColumnType::kInt64) type = store::ColumnType::kFloat64;
    }
    parameters.push_back({.name = parameter_column(key),
                          .type = type,
                          .long_name = "the swept key " + key,
                          .units = {},
                          .direction = {},
                          .version = {}});
  }
  store::TableLayout layout{
      .columns = store::table_columns(parameters, metrics), .attributes = {}, .trial_configs = {}, .provenance = {}};
  layout.attributes["title"] = "roundtrip: diffusion inversion, one row per trial and sample";
  for (const Trial& trial : plan.trials) layout.trial_configs.push_back(trial.config_yaml);
  layout.planned_records = plan.records;
  return layout;
}

std::vector<store::Column> metric_columns(const Plan& plan) {
  const bool edits = std::ranges::any_of(plan.trials, &Trial::edits);
  std::vector<store::Column> columns;
  std::set<std::string> seen;
  for (const PlanBench& bench : plan.benches) {
    for (const std::string& name : bench.options.metrics) {
      if (!seen.insert(name).second) continue;
      const metrics::MetricInfo info = metrics::make_metric(name, {.lpips_path = bench.options.lpips_path,
                                                                   .attributes_path = bench.options.attributes_path,
                                                                   .clip_path = bench.options.clip_path,
                                                                   .device = at::kCPU})
                                           ->info();
      const std::string direction = info.direction == metrics::Direction::kHigherIsBetter ? "higher" : "lower";
      columns.push_back({.name = name,
                         .type = store::ColumnType::kFloat64,
                         .long_name = info.long_name,
                         .units = info.units,
                         .direction = direction,
                         .version = info.version});
      const store::Column column = columns.back();
      if (name == "psnr" || name == "lpips") {
        columns.push_back(column);
        columns.back().name = "codec_" + name;
        columns.back().long_name += ", of encoding and decoding alone";
      }
      if (!edits || info.on_latents || info.on_caption) continue;
      for (store::Column& of_edits : edit_columns(column)) columns.push_back(std::move(of_edits));
    }
  }
  return columns;
}

// Values of a parameter's column have its type.
void unify_parameters(const std::vector<store::Column>& columns, store::Record& record) {
  for (const store::Column& column : columns) {
    const auto entry = record.values.find(column.name);
    if (entry == record.values.end() || !column.name.starts_with("p.")) continue;
    store::Value& value = entry->second;
    if (column.type == store::ColumnType::kFloat64 && std::holds_alternative<int64_t>(value)) {
      value = static_cast<double>(std::get<int64_t>(value));
    } else if (column.type == store::ColumnType::kString) {
      if (const auto* count = std::get_if<int64_t>(&value)) value = fmt::format("{}", *count);
      if (const auto* number = std::get_if<double>(&value)) value = python_repr(*number);
    }
  }
}

void keep_picture(FinishedRecord& finished, const std::string& path, const Tensor& picture) {
  finished.storage.push_back(picture);
  finished.arrays.push_back({.path = path,
                             .type = store::ArrayType::kUint8,
                             .shape = picture.sizes().vec(),
                             .bytes = {static_cast<const std::byte*>(picture.const_data_ptr()), picture.nbytes()}});
}

// One run in progress: what every finished record passes through.
class Recorder {
 public:
  Recorder(const Plan& plan, const RunOptions& options, Progress& progress)
      : options_(options),
        progress_(progress),
        store_(options.directory, layout_of(plan, metric_columns(plan))),
        summary_(plan),
        images_(options.directory / "images") {}

  void add(FinishedRecord finished) {
    unify_parameters(store_.layout().columns, finished.record);
    if (finished.failed) report_failure(finished);
    for (const std::string& note : finished.notes) note_samples_[note].insert(finished.sample);
    if (!finished.digest.empty())
      digests_[std::get<std::string>(finished.record.values.at("sample"))] = finished.digest;
    if (finished.image.defined() && images_.wants(finished)) {
      images_.keep(finished);
      keep_picture(finished, "images/{row}", finished.image);
      keep_picture(finished, "sources/{row}", finished.source);
    }
    store_.append(finished.record, finished.arrays);
    summary_.add(finished);
  }

  void say_notes() {
    for (const auto& [note, samples] : note_samples_) {
      const std::string where = samples.size() == 1
                                    ? fmt::format("sample {}", *samples.begin())
                                    : fmt::format("{} samples, {} among them", samples.size(), *samples.begin());
      progress_.line(fmt::format("note: {}: {}", where, note));
    }
  }

  store::RunStore& store() { return store_; }
  const Summary& summary() const { return summary_; }

  std::string inputs_digest() const {
    Hasher hasher;
    for (const auto& [sample, digest] : digests_) hasher.add(sample).add(digest);
    return hasher.hex();
  }

 private:
  // Each failure is printed as it happens; the same one of the same sample under other trials only counts.
  void report_failure(const FinishedRecord& finished) {
    if (!failures_.insert({finished.sample, finished.error}).second) return;
    progress_.line(
        fmt::format("failed: trial {}, sample {}: {}", finished.trial->number, finished.sample, finished.error));
  }

  const RunOptions& options_;
  Progress& progress_;
  store::RunStore store_;
  Summary summary_;
  ImageKeeper images_;
  std::map<std::string, std::set<std::string>> note_samples_;
  std::map<std::string, std::string> digests_;
  std::set<std::pair<std::string, std::string>> failures_;
};

std::string record_text(const Summary& summary, int64_t planned) {
  std::string text = fmt::format("records {}/{}", summary.records(), planned);
  if (summary.failed() > 0) text += fmt::format(", {} failed", summary.failed());
  return text;
}

// All trials of one model and engine. Returns false where the run was stopped.
class BenchRun {
 public:
  BenchRun(const Plan& plan, const PlanBench& entry, Workbench& bench, Recorder& recorder, Progress& progress,
           const RunOptions& options)
      : plan_(plan), entry_(entry), bench_(bench), recorder_(recorder), progress_(progress), options_(options) {
    const auto any = [&](auto saves) { return std::ranges::any_of(plan.trials, saves); };
    keep_path_ = any([](const Trial& trial) { return trial.save_trajectories; });
    keep_image_ = any([](const Trial& trial) { return trial.save_images != SaveImages::kNone; });
  }

  bool run(int64_t rows_before) {
    for (size_t d = 0; d < entry_.datasets.size(); ++d) {
      const PlanDataset& dataset = entry_.datasets[d];
      const StageContext context{bench_, *dataset.dataset, keep_path_, keep_image_};
      makers_.push_back(std::make_unique<RecordMaker>(context, static_cast<int>(d), [this](FinishedRecord finished) {
        if (!warming_up_) recorder_.add(std::move(finished));
      }));
      std::vector<const Trial*>& order = orders_.emplace_back();
      for (const size_t k : dataset.trials) order.push_back(&plan_.trials[k]);
      // The longest first, so that batches stay full to the end.
      std::ranges::stable_sort(order, std::greater{}, [](const Trial* trial) {
        return invert_evaluations(*trial, {}).forward + fit_evaluations(*trial, {}).forward +
               sample_evaluations(*trial, {}).forward;
      });
    }
    if (entry_.options.engine.timing == Timing::kIsolated) warm_up();
    return bench_.engine().run([this] { return next(); },
                               [&] {
                                 recorder_.store().sync_if_due();
                                 const int64_t rows = rows_before + bench_.engine().eps_statistics().rows;
                                 progress_.update(rows, record_text(recorder_.summary(), plan_.records));
                                 return options_.stop && options_.stop();
                               });
  }

 private:
  // Sample by sample, so that readers of shared work are neighbours.
  std::optional<Task<void>> next() {
    while (dataset_ < entry_.datasets.size()) {
      const PlanDataset& dataset = entry_.datasets[dataset_];
      const std::vector<const Trial*>& order = orders_[dataset_];
      if (sample_ == dataset.dataset->ids().size()) {
        ++dataset_;
        sample_ = trial_ = 0;
        rows_.clear();
        continue;
      }
      if (trial_ == 0 && edit_ == 0) makers_[dataset_]->expect(order, sample_);
      rows_.resize(order.size());
      const Trial& trial = *order[trial_];
      std::optional<Task<void>> task;
      if (static_cast<int64_t>(edit_) < dataset.records(trial, sample_)) {
        const int64_t row = plan_.first_row[&trial - plan_.trials.data()] + rows_[trial_]++;
        task = makers_[dataset_]->make(trial, sample_, edit_++, row);
      } else {
        edit_ = 0;
        if (++trial_ == order.size()) {
          trial_ = 0;
          ++sample_;
        }
      }
      if (task) return task;
    }
    return std::nullopt;
  }

  // Runs the first record once for nothing: allocations and first calls are no part of an isolated timing.
  void warm_up() {
    warming_up_ = true;
    bool given = false;
    bench_.engine().run([&]() -> std::optional<Task<void>> {
      if (std::exchange(given, true)) return std::nullopt;
      const Trial& trial = *orders_[0].front();
      size_t sample = 0;
      while (entry_.datasets[0].records(trial, sample) == 0) ++sample;
      makers_[0]->expect({&trial}, sample);
      return makers_[0]->make(trial, sample, 0, 0);
    });
    warming_up_ = false;
  }

  const Plan& plan_;
  const PlanBench& entry_;
  Workbench& bench_;
  Recorder& recorder_;
  Progress& progress_;
  const RunOptions& options_;
  bool keep_path_ = false, keep_image_ = false, warming_up_ = false;
  std::vector<std::unique_ptr<RecordMaker>> makers_;
  std::vector<std::vector<const Trial*>> orders_;
  size_t dataset_ = 0, sample_ = 0, trial_ = 0, edit_ = 0;
  std::vector<int64_t> rows_;  // by place in the order: how many records of the trial have been made
};

}  // namespace

RunOutcome run_plan(const Plan& plan, const RunOptions& options) {
  const Stopwatch stopwatch;
  const std::string started = utc_now();
  Progress progress(options.log, plan.made.forward);
  Recorder recorder(plan, options, progress);
  if (options.on_directory) options.on_directory();
  RunOutcome outcome;
  int64_t rows_before = 0;
  for (size_t b = 0; b < plan.benches.size() && !outcome.interrupted; ++b) {
    const PlanBench& entry = plan.benches[b];
    Workbench bench(entry.options);
    const std::string prefix = plan.benches.size() == 1 ? "" : fmt::format("bench{}.", b);
    recorder.store().set_provenance(prefix + "model_digest", bench.model().digest);
    recorder.store().set_provenance(prefix + "max_batch", fmt::format("{}", bench.max_batch()));
    recorder.store().set_provenance(prefix + "threads", fmt::format("{}", at::get_num_threads()));
    recorder.store().set_provenance(prefix + "notes", join(bench.notes(), "\n"));
    for (const std::string& note : bench.notes()) progress.line("note: " + note);
    outcome.interrupted = !BenchRun(plan, entry, bench, recorder, progress, options).run(rows_before);
    rows_before += bench.engine().eps_statistics().rows;
  }
  progress.update(rows_before, record_text(recorder.summary(), plan.records));
  progress.finish();
  recorder.say_notes();

  store::RunStore& store = recorder.store();
  for (const auto& [key, value] : machine_provenance()) store.set_provenance(key, value);
  for (const auto& [key, value] : options.provenance) store.set_provenance(key, value);
  store.set_provenance("started_utc", started);
  store.set_provenance("finished_utc", utc_now());
  store.set_provenance("seconds", fmt::format("{:.3f}", stopwatch.seconds()));
  store.set_provenance("evaluations_asked", fmt::format("{}", plan.asked.forward));
  store.set_provenance("evaluations_made", fmt::format("{}", rows_before));
  store.set_provenance("inputs_digest", recorder.inputs_digest());
  outcome.results = store.finish();
  outcome.records = recorder.summary().records();
  outcome.failed = recorder.summary().failed();
  outcome.table = recorder.summary().table();
  return outcome;
}

}  // namespace roundtrip::run
