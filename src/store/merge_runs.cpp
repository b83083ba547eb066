#include "store/merge_runs.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "base/error.h"
#include "base/text.h"
#include "store/columns.h"
#include "store/merge.h"
#include "store/record_rows.h"
#include "store/results_reader.h"
#include "store/run_paths.h"
#include "store/shard.h"

namespace roundtrip::store {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kStretch = 1 << 14;       // records in memory at once
constexpr int64_t kMergeMemory = 64 << 20;  // bytes
constexpr int64_t kRecordsPerShard = 1 << 14;

std::string label_of(const Column& column) {
  return fmt::format("{}{}{}{}", static_cast<int>(column.type), column.units.empty() ? "" : ", ", column.units,
                     column.version.empty() ? "" : ", version " + column.version);
}

class MergedTable {
 public:
  // Adds one more run: its columns, trials and samples.
  void add(const fs::path& path) {
    const ResultsReader run(path);
    const std::vector<std::string> ids = run.trial_ids(), configs = run.trial_configs();
    if (ids.empty()) throw input_error(path.string(), "a run whose trials have no ids", "one of this version");
    add_columns(run);
    std::vector<uint32_t>& trials = trials_.emplace_back();
    for (size_t k = 0; k < ids.size(); ++k) {
      const auto [entry, is_new] = trial_of_.emplace(ids[k], static_cast<uint32_t>(layout.trial_ids.size()));
      if (is_new) {
        layout.trial_ids.push_back(ids[k]);
        layout.trial_configs.push_back(configs[k]);
      }
      trials.push_back(entry->second);
    }
    add_records(run);
    missing += run.planned_records() - run.records();
    const std::string prefix = fmt::format("run{}.", trials_.size() - 1);
    layout.provenance[prefix + "results"] = path.string();
    for (const auto& [key, value] : run.provenance()) layout.provenance[prefix + key] = value;
    if (trials_.size() == 1) layout.attributes = run.attributes();
  }

  void assign_rows() {
    for (const auto& [key, entry] : records_) keys_.push_back(key);
    std::ranges::sort(keys_);
    layout.planned_records = static_cast<int64_t>(keys_.size()) + missing;
  }

  // Assigns a place to a record of run `run`; false where another run's record counts.
  bool place(size_t run, Record& record) const {
    const uint32_t trial = trials_[run].at(std::get<int64_t>(record.values.at(kTrial)));
    const uint64_t key = uint64_t{trial} << 32 | samples_.at({get(record, kSample), get(record, kEdit)});
    if (records_.at(key).run != run) return false;
    set(record, kTrial, trial);
    record.plan_row = std::ranges::lower_bound(keys_, key) - keys_.begin();
    return true;
  }

  int64_t records() const { return static_cast<int64_t>(keys_.size()); }

  TableLayout layout;
  int64_t repeated = 0, missing = 0;

 private:
  struct Holder {
    size_t run = 0;
    bool failed = false;
  };

  void add_columns(const ResultsReader& run) {
    for (const Column& column : run.columns()) {
      const auto [known, is_new] = columns_.emplace(column.name, column);
      if (is_new) {
        layout.columns.push_back(column);
      } else if (label_of(known->second) != label_of(column)) {
        throw input_error(run.path().string(), fmt::format("column {} of another type, unit or version", column.name),
                          "runs of one sweep, scored by one version");
      }
    }
  }

  void add_records(const ResultsReader& run) {
    const size_t number = trials_.size() - 1;
    for (int64_t first = 0; first < run.records(); first += kStretch) {
      const int64_t count = std::min(kStretch, run.records() - first);
      const std::vector<int64_t> trials = run.integers(kTrial, first, count);
      const std::vector<std::string> samples = run.texts(kSample, first, count), edits = run.texts(kEdit, first, count),
                                     status = run.texts(kStatus, first, count),
                                     digests = run.texts(kInputDigest, first, count);
      for (int64_t k = 0; k < count; ++k) {
        check_input(run, samples[k], digests[k]);
        const auto sample =
            samples_.emplace(std::pair(samples[k], edits[k]), static_cast<uint32_t>(samples_.size())).first->second;
        const uint64_t key = uint64_t{trials_[number].at(trials[k])} << 32 | sample;
        const bool failed = status[k] == "failed";
        const auto [entry, is_new] = records_.emplace(key, Holder{number, failed});
        if (is_new) continue;
        ++repeated;
        if (entry->second.failed && !failed) entry->second = {number, failed};
      }
    }
  }

  void check_input(const ResultsReader& run, const std::string& sample, const std::string& digest) {
    if (digest.empty()) return;
    const auto [known, is_new] = digests_.emplace(sample, digest);
    if (!is_new && known->second != digest) {
      throw input_error(run.path().string(), fmt::format("sample {} has another image, prompt or edits", sample),
                        "runs over one dataset");
    }
  }

  std::map<std::string, Column> columns_;
  std::map<std::string, uint32_t> trial_of_;                         // by id
  std::vector<std::vector<uint32_t>> trials_;                        // by run and its own number
  std::map<std::pair<std::string, std::string>, uint32_t> samples_;  // by sample and edit
  std::map<std::string, std::string> digests_;                       // by sample
  std::unordered_map<uint64_t, Holder> records_;                     // by trial and sample
  std::vector<uint64_t> keys_;                                       // ascending
};

}  // namespace

MergedRuns merge_runs(std::span<const fs::path> results, const fs::path& directory) {
  const RunPaths paths(directory);
  if (fs::exists(paths.results) || fs::exists(paths.journal) || fs::exists(paths.shards(0))) {
    throw input_error(directory.string(), "holds a run already", "a new directory");
  }
  MergedTable table;
  for (const fs::path& path : results) table.add(path);
  table.assign_rows();

  std::error_code failure;
  fs::create_directories(paths.shards(0), failure);
  if (failure) throw input_error(directory.string(), "cannot create the directory: " + failure.message());
  std::vector<fs::path> shards;
  try {
    for (size_t run = 0; run < results.size(); ++run) {
      rewrite_shard(
          results[run], table.layout, kRecordsPerShard, [&](Record& record) { return table.place(run, record); },
          [&] { return shards.emplace_back(paths.shard(0, static_cast<int64_t>(shards.size()))); });
    }
    merge_results(shards, table.layout, kMergeMemory, paths.results);
  } catch (...) {
    fs::remove_all(paths.shards(0), failure);
    throw;
  }
  fs::remove_all(paths.shards(0), failure);
  return {.results = paths.results, .records = table.records(), .repeated = table.repeated, .missing = table.missing};
}

}  // namespace roundtrip::store
