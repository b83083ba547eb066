#include "rescore/rescore.h"

#include <algorithm>
#include <set>
#include <span>

#include <fmt/format.h>

#include "analysis/table/run_table.h"
#include "base/error.h"
#include "base/file_digest.h"
#include "base/progress.h"
#include "base/text.h"
#include "columns/columns.h"
#include "plan/schema.h"
#include "plan/stored_trials.h"
#include "rescore/kept_pictures.h"
#include "rescore/no_network.h"
#include "run/table.h"
#include "session/device.h"
#include "session/pixels.h"
#include "session/scorer.h"
#include "store/rewrite.h"

namespace roundtrip::rescore {
namespace {

namespace fs = std::filesystem;
using engine::Task;

constexpr const char* kVersionSuffix = ", of pictures as bytes";

// Returns the common setting of all trials: scores by two modules in one column would not compare.
metrics::MetricParams common_params(const std::vector<plan::Trial>& trials) {
  const metrics::MetricParams& all = trials.front().metric_params;
  const auto of_metrics = [](const plan::Trial& trial) {
    std::map<std::string, config::Params::Value> values;
    for (const std::string& name : trial.metrics) {
      const auto section = trial.metric_params.find(name);
      if (section == trial.metric_params.end()) continue;
      for (const auto& [key, value] : section->second.values()) values[fmt::format("metric.{}.{}", name, key)] = value;
    }
    return values;
  };
  const auto first = of_metrics(trials.front());
  for (const plan::Trial& trial : trials) {
    for (const auto& [key, value] : of_metrics(trial)) {
      const auto same = first.find(key);
      const config::Params::Value other = same == first.end() ? config::Params::Value() : same->second;
      if (other == value) continue;
      throw Error(ErrorKind::kMissing, fmt::format("{}: the run has {} and {}; expected one, on the command line", key,
                                                   config::value_text(other), config::value_text(value)));
    }
  }
  return all;
}

class Rescoring {
 public:
  Rescoring(const store::ResultsReader& results, const std::vector<plan::Trial>& trials, session::Scorer& scorer,
            at::Device device)
      : results_(results), trials_(trials), inputs_(trials), scorer_(scorer), device_(device) {
    on_captions_ =
        std::ranges::any_of(scorer.metrics(), [](const auto& metric) { return metric->info().wants.caption; });
  }

  // Returns whether all records were scored before `stop` was true. The engine uses the scorer until then.
  bool run(const std::vector<KeptRecord>& kept, Progress& progress, const std::function<bool()>& stop) {
    NoNetwork network;
    engine::Engine engine(network, {.batch = {.max_batch = kBatch, .fixed_shape = true}, .max_live = kLive});
    scorer_.join(engine, session::pictures_at_once(largest(kept), kBatch));
    size_t next = 0;
    const auto source = [&]() -> std::optional<Task<void>> {
      if (next == kept.size()) return std::nullopt;
      return score(kept[next++]);
    };
    const auto state = [&] { return fmt::format("records {}/{}", scores_.size(), kept.size()); };
    const bool whole = engine.run(source, [&] {
      progress.update(std::ssize(scores_), state());
      return stop && stop();
    });
    progress.update(std::ssize(scores_), state());
    progress.finish();
    return whole;
  }

  const session::Scores* of(int64_t row) const {
    const auto found = scores_.find(row);
    return found == scores_.end() ? nullptr : &found->second;
  }

 private:
  // Pixels of the largest picture. All pictures of a trial have one size.
  int64_t largest(const std::vector<KeptRecord>& kept) const {
    int64_t pixels = 1;
    std::set<size_t> seen;
    for (const KeptRecord& record : kept) {
      if (!seen.insert(record.inputs.trial).second) continue;
      const data::Image picture = read_pictures(results_, record.row).source;
      pixels = std::max(pixels, int64_t{picture.height} * picture.width);
    }
    return pixels;
  }

  Task<void> score(const KeptRecord& record) {
    const at::TensorOptions like = at::dtype(at::kFloat).device(device_);
    const KeptPictures pictures = read_pictures(results_, record.row);
    const Tensor source = session::to_pixels(pictures.source, like), result = session::to_pixels(pictures.result, like);
    const plan::Trial& trial = trials_.at(record.inputs.trial);
    std::optional<session::EditTarget> target;
    if (trial.edits || on_captions_) target = inputs_.target(record.inputs, source);
    const Tensor none = at::zeros({0});
    session::Pair pair{.reference = source, .test = result, .x0 = none, .x = none, .caption = {}};
    if (target) pair.caption = target->prompt;
    if (!trial.edits) target.reset();
    Task<session::Scores> scoring = session::all_scores(scorer_, trial.protocol, std::move(pair), std::move(target));
    scores_[record.row] = co_await scoring;
  }

  const store::ResultsReader& results_;
  const std::vector<plan::Trial>& trials_;
  RunInputs inputs_;
  session::Scorer& scorer_;
  at::Device device_;
  bool on_captions_ = false;
  std::map<int64_t, session::Scores> scores_;  // by row
};

// Scores by two protocols in one column would not compare.
void refuse_two_protocols(const std::vector<plan::Trial>& trials) {
  for (const plan::Trial& trial : trials) {
    if (trial.protocol == trials.front().protocol) continue;
    throw Error(ErrorKind::kMissing, "pie.protocol: the run has two protocols; expected one, on the command line");
  }
}

// Columns of the new scores replace those of the run, or follow its metrics.
std::vector<store::Column> with_scores(std::vector<store::Column> columns, std::span<const store::Column> scores) {
  const std::string first_cost = columns::cost_columns().front().name;
  for (const store::Column& column : scores) {
    const auto own = std::ranges::find(columns, column.name, &store::Column::name);
    if (own != columns.end()) {
      *own = column;
    } else {
      columns.insert(std::ranges::find(columns, first_cost, &store::Column::name), column);
    }
  }
  return columns;
}

// Adds to the run's provenance. Entries of earlier rescorings are kept, one line each.
void add_provenance(std::map<std::string, std::string>& provenance, const RescoreOptions& options,
                    const metrics::MetricParams& params, const std::vector<std::string>& names,
                    const RescoreOutcome& outcome) {
  std::vector<std::string> modules;
  for (const auto& [key, path] : metrics::metric_files(params, names)) {
    if (fs::exists(path)) modules.push_back(fmt::format("{} {}", key, remembered_sha256_of_file(path)));
  }
  run::Provenance added = {{"utc", run::utc_now()},
                           {"by", run::version_line()},
                           {"from", options.results.string()},
                           {"metrics", join(names, ", ")},
                           {"modules", modules.empty() ? "none" : join(modules, ", ")},
                           {"records", fmt::format("{} of {}", outcome.scored, outcome.records)}};
  added.insert(options.provenance.begin(), options.provenance.end());
  for (const auto& [key, value] : added) {
    std::string& all = provenance["rescored_" + key];
    all += all.empty() ? value : "\n" + value;
  }
}

void refuse_output(const fs::path& output) {
  if (output.filename() == "results.h5") {
    throw input_error(output.string(), "the name of a run's own results, with which --resume goes on", "another name");
  }
  if (fs::exists(output)) throw input_error(output.string(), "is there already", "a new file: -o names another");
}

void write(const RescoreOptions& options, const store::TableLayout& layout, const std::vector<std::string>& names,
           const session::Protocol& protocol, std::span<const store::Column> columns, const Rescoring& rescoring) {
  std::error_code failure;  // reported when the file is created
  if (options.output.has_parent_path()) fs::create_directories(options.output.parent_path(), failure);
  const auto change = [&](int64_t row, store::Record& record) {
    for (const store::Column& column : columns) record.values.erase(column.name);
    const session::Scores* scores = rescoring.of(row);
    if (scores == nullptr) return;
    session::fill_scores(record, names, protocol, *scores);
  };
  store::rewrite_results(options.results, layout, change, options.output);
}

}  // namespace

void refuse_what_cannot_score(const session::Scorer& scorer) {
  for (const auto& metric : scorer.metrics()) {
    if (!metric->info().wants.latents) continue;
    std::vector<std::string> others;
    for (const metrics::MetricInfo& info : metrics::Metric::Plugins::infos()) {
      if (!info.wants.latents) others.push_back(info.name);
    }
    throw input_error("metrics", metric->info().name + " compares latents, which no run keeps",
                      "some of " + join(others, ", "));
  }
  const std::vector<std::string> reasons = scorer.unavailable();
  if (!reasons.empty()) throw Error(ErrorKind::kMissing, reasons.front());
}

const std::vector<std::string>& rescore_keys() {
  static const std::vector<std::string> kKeys = {"metrics", "dataset.path", "pie.protocol", "engine.device",
                                                 "engine.threads"};
  return kKeys;
}

RescoreOutcome rescore(const RescoreOptions& options) {
  refuse_output(options.output);
  const store::ResultsReader results(options.results);
  std::map<std::string, hydra::Node> settings = options.settings;
  settings.try_emplace("engine.device", "auto");
  settings.try_emplace("engine.threads");
  std::vector<plan::Trial> trials = plan::stored_trials(results, settings);
  const std::vector<std::string> names = trials.front().metrics;
  if (names.empty()) throw Error(ErrorKind::kType, "metrics: found []; expected one or more to score by");

  const KeptRecords kept = find_kept(results);
  RescoreOutcome outcome{.records = results.records(),
                         .scored = std::ssize(kept.records),
                         .failed = kept.failed,
                         .not_kept = kept.without_picture};
  if (kept.records.empty()) {
    throw input_error(options.results.string(), fmt::format("no picture is kept of its {} records", outcome.records),
                      "a run with save.images=all");
  }
  const metrics::MetricParams params = common_params(trials);
  refuse_two_protocols(trials);
  session::configure_process(trials.front().engine);
  const at::Device device = session::Device(trials.front().engine.device).torch();
  session::Scorer scorer(names, params, device);
  refuse_what_cannot_score(scorer);

  Progress progress(options.log, outcome.scored);
  Rescoring rescoring(results, trials, scorer, device);
  if (!rescoring.run(kept.records, progress, options.stop)) {
    outcome.interrupted = true;
    return outcome;
  }

  const bool edits = std::ranges::any_of(trials, &plan::Trial::edits);
  const session::Protocol& protocol = trials.front().protocol;
  std::vector<store::Column> columns;
  for (const auto& metric : scorer.metrics()) {
    for (store::Column& column : session::score_columns(metric->info(), protocol, edits, /*with_floor=*/false)) {
      column.version += kVersionSuffix;
      columns.push_back(std::move(column));
    }
  }
  store::TableLayout layout = store::layout_of(results);
  layout.columns = with_scores(std::move(layout.columns), columns);
  add_provenance(layout.provenance, options, params, names, outcome);
  write(options, layout, names, protocol, columns, rescoring);
  outcome.table = analysis::read_run_table(store::ResultsReader(options.output), plan::settings_of(trials)).text;
  return outcome;
}

}  // namespace roundtrip::rescore
