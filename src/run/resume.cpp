#include "run/resume.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "columns/columns.h"
#include "hydra/compose/renamed_keys.h"
#include "hydra/tree/yaml.h"
#include "plan/identity.h"
#include "plan/plan_index.h"
#include "run/table.h"
#include "store/record_rows.h"
#include "store/results_reader.h"

namespace roundtrip::run {
namespace {

constexpr int64_t kStretch = 1 << 14;  // records in memory at once
constexpr std::string_view kExpectSameGrid = "the grid of the run; --resume=extend adds trials and images to it";

// Identity of a stored record.
struct StoredRecord {
  int64_t plan_row = 0;
  int64_t trial = 0;
  std::string sample, edit, input_digest;
};

void for_each_record(const store::RunStore& store, const std::function<void(const StoredRecord&)>& visit) {
  for (const std::filesystem::path& path : store.shards()) {
    const store::ResultsReader shard(path);
    for (int64_t first = 0; first < shard.records(); first += kStretch) {
      const int64_t count = std::min(kStretch, shard.records() - first);
      const std::vector<int64_t> rows = shard.plan_rows(first, count),
                                 trials = shard.integers(columns::kTrial, first, count);
      const std::vector<std::string> samples = shard.texts(columns::kSample, first, count),
                                     edits = shard.texts(columns::kEdit, first, count),
                                     digests = shard.texts(columns::kInputDigest, first, count);
      for (int64_t k = 0; k < count; ++k) visit({rows[k], trials[k], samples[k], edits[k], digests[k]});
    }
  }
}

// Says how a trial of the run differs from the plan's trial with the same number.
std::string trial_difference(const store::TableLayout& was, const plan::Plan& plan, size_t trial) {
  hydra::Node before = hydra::parse_yaml(was.trial_configs[trial], "the run's config");
  std::vector<std::string> old_names;
  hydra::rename_keys(before, old_names);
  const hydra::Node now = hydra::parse_yaml(plan.trials[trial].config_yaml, "the config");
  const std::string found =
      plan::first_difference(plan::deciding_config(before, plan.swept), plan::deciding_config(now, plan.swept));
  return fmt::format("trial {}: {}", trial,
                     found.empty() ? "the weights of the model or of a metric are not those of the run" : found);
}

std::string plan_difference(const store::TableLayout& was, const plan::Plan& plan) {
  for (size_t k = 0; k < std::min(was.trial_ids.size(), plan.trials.size()); ++k) {
    if (was.trial_ids[k] != plan.trials[k].id) return trial_difference(was, plan, k);
  }
  if (was.trial_ids.size() != plan.trials.size()) {
    return fmt::format("{} trials, where the run has {}", plan.trials.size(), was.trial_ids.size());
  }
  if (was.planned_records != plan.records) {
    return fmt::format("{} records, where the run has {}", plan.records, was.planned_records);
  }
  return "";
}

// Maps each trial of the run to the same trial of the plan, or to nothing.
std::vector<std::optional<size_t>> same_trials(const store::TableLayout& was, const plan::PlanIndex& index) {
  std::vector<std::optional<size_t>> same;
  for (const std::string& id : was.trial_ids) same.push_back(index.trial(id));
  return same;
}

// Throws if a stored record is not in the plan, or was made from other inputs. Returns whether all records keep their
// rows.
bool check_records(const store::RunStore& store, plan::PlanIndex& index, const std::string& where) {
  const std::vector<std::optional<size_t>> same = same_trials(store.layout(), index);
  bool in_place = true;
  for_each_record(store, [&](const StoredRecord& record) {
    const std::string name = fmt::format("trial {}, sample {}{}{}", record.trial, record.sample,
                                         record.edit.empty() ? "" : ", edit ", record.edit);
    const std::optional<size_t> trial = same.at(record.trial);
    const std::optional<int64_t> row = trial ? index.row(*trial, record.sample, record.edit) : std::nullopt;
    if (!row) {
      throw input_error(where, fmt::format("the run has {}, which is not asked for now", name), kExpectSameGrid);
    }
    in_place = in_place && *row == record.plan_row;
    const std::string& digest = index.input_digest(*trial, record.sample);
    if (!record.input_digest.empty() && digest != record.input_digest) {
      throw input_error(where, fmt::format("{}: its image, prompt or edits are not those of the run", name),
                        "the inputs as they were, or a new run");
    }
  });
  return in_place;
}

void replan(store::RunStore& store, const plan::Plan& plan, const plan::PlanIndex& index, store::TableLayout layout) {
  const std::vector<std::optional<size_t>> same = same_trials(store.layout(), index);
  for (const auto& [key, value] : store.layout().provenance) layout.provenance.emplace(key, value);
  const std::vector<store::Column> columns = layout.columns;
  store.replan(std::move(layout), [&](store::Record& record) {
    const size_t trial = *same.at(store::get(record, columns::kTrial));
    record.plan_row = *index.row(trial, store::get(record, columns::kSample), store::get(record, columns::kEdit));
    store::set(record, columns::kTrial, static_cast<int64_t>(trial));
    for (const auto& [key, value] : plan.trials[trial].swept) record.values[columns::parameter_column(key)] = value;
    unify_parameters(columns, record);
  });
}

bool same_columns(const std::vector<store::Column>& a, const std::vector<store::Column>& b) {
  return std::ranges::equal(a, b, {}, &store::Column::name, &store::Column::name);
}

}  // namespace

store::RunStore open_store(const plan::Plan& plan, const std::filesystem::path& directory, Resume resume,
                           const std::map<std::string, std::string>& provenance) {
  store::TableLayout layout = table_layout(plan);
  layout.provenance = provenance;
  if (resume == Resume::kNo) return store::RunStore(directory, std::move(layout));

  store::RunStore store = store::RunStore::recover(directory);
  const std::string where = directory.string();
  if (store.layout().trial_ids.empty()) {
    throw input_error(where, "a run of a version that gave its trials no ids", "a run of this version");
  }
  const std::string difference = plan_difference(store.layout(), plan);
  if (resume == Resume::kSame && !difference.empty()) throw input_error(where, difference, kExpectSameGrid);
  plan::PlanIndex index(plan);
  const bool in_place = check_records(store, index, where);
  if (resume == Resume::kSame && !in_place) throw input_error(where, "other images than the run's", kExpectSameGrid);
  if (!difference.empty() || !in_place || !same_columns(store.layout().columns, layout.columns)) {
    replan(store, plan, index, std::move(layout));
  }
  return store;
}

int64_t forget_failures(store::RunStore& store) {
  std::set<int64_t> failed;
  for (const std::filesystem::path& path : store.shards()) {
    const store::ResultsReader shard(path);
    const std::vector<int64_t> rows = shard.plan_rows();
    const std::vector<std::string> status = shard.texts(columns::kStatus);
    for (size_t k = 0; k < rows.size(); ++k) {
      failed.erase(rows[k]);
      if (status[k] == "failed") failed.insert(rows[k]);
    }
  }
  for (const int64_t row : failed) store.forget(row);
  return static_cast<int64_t>(failed.size());
}

}  // namespace roundtrip::run
