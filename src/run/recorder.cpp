#include "run/recorder.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/hash.h"
#include "columns/columns.h"
#include "run/table.h"
#include "store/results_reader.h"

namespace roundtrip::run {
namespace {

void keep_picture(FinishedRecord& finished, const std::string& path, const Tensor& picture) {
  finished.storage.push_back(picture);
  finished.arrays.push_back({.path = path,
                             .type = store::ArrayType::kUint8,
                             .shape = picture.sizes().vec(),
                             .bytes = {static_cast<const std::byte*>(picture.const_data_ptr()), picture.nbytes()}});
}

// Number of the first trial over the same images and captions, of any size.
size_t first_with_dataset(const plan::Plan& plan, const plan::Trial& trial) {
  const auto same = [&](const plan::Trial& other) {
    return other.dataset.name == trial.dataset.name && other.dataset.path == trial.dataset.path &&
           other.dataset.prompt == trial.dataset.prompt;
  };
  return std::ranges::find_if(plan.trials, same) - plan.trials.begin();
}

}  // namespace

Recorder::Recorder(const plan::Plan& plan, store::RunStore store, Progress& progress)
    : progress_(progress), store_(std::move(store)), images_(store_.directory() / "images", plan.trials) {
  for (const plan::Trial& trial : plan.trials) dataset_of_trial_.push_back(first_with_dataset(plan, trial));
  restore(plan);
}

// Restores the state of an earlier process: digests, failures, the pictures among the worst.
void Recorder::restore(const plan::Plan& plan) {
  for (const std::filesystem::path& path : store_.shards()) {
    const store::ResultsReader shard(path);
    const std::vector<int64_t> rows = shard.plan_rows(), trials = shard.integers(columns::kTrial);
    const std::vector<std::string> status = shard.texts(columns::kStatus), samples = shard.texts(columns::kSample),
                                   digests = shard.texts(columns::kInputDigest);
    const std::string& metric = images_.metric();
    const std::vector<double> scores = shard.has(metric) ? shard.numbers(metric) : std::vector<double>(rows.size());
    for (size_t k = 0; k < rows.size(); ++k) {
      if (!digests[k].empty()) digests_[{dataset_of_trial_.at(trials[k]), samples[k]}] = digests[k];
      if (!store_.holds(rows[k])) continue;  // will be made again
      if (status[k] == "failed") ++failed_before_;
      if (plan.trials.at(trials[k]).save_images == plan::SaveImages::kWorst8) images_.restore(rows[k], scores[k]);
    }
  }
}

void Recorder::add(FinishedRecord finished) {
  unify_parameters(store_.layout().columns, finished.record);
  if (finished.failed) report_failure(finished);
  for (const std::string& note : finished.notes) note_samples_[note].insert(finished.sample);
  const std::string digest = store::get(finished.record, columns::kInputDigest);
  if (!digest.empty()) {
    digests_[{dataset_of_trial_.at(finished.trial->number), store::get(finished.record, columns::kSample)}] = digest;
  }
  if (finished.image.defined() && images_.wants(finished)) {
    images_.keep(finished);
    keep_picture(finished, "images/{row}", finished.image);
    keep_picture(finished, "sources/{row}", finished.source);
    for (const auto& [group, map] : finished.maps) keep_picture(finished, group + "/{row}", map);
  }
  store_.append(finished.record, finished.arrays);
}

void Recorder::say_notes() {
  for (const auto& [note, samples] : note_samples_) {
    const std::string where = samples.size() == 1
                                  ? fmt::format("sample {}", *samples.begin())
                                  : fmt::format("{} samples, {} among them", samples.size(), *samples.begin());
    progress_.line(fmt::format("note: {}: {}", where, note));
  }
}

std::string Recorder::text() const {
  std::string text = fmt::format("records {}/{}", store_.written(), store_.layout().planned_records);
  if (const int64_t failed = failed_before_ + failed_now_; failed > 0) text += fmt::format(", {} failed", failed);
  return text;
}

std::string Recorder::inputs_digest() const {
  Hasher hasher;
  for (const auto& [sample, digest] : digests_) hasher.add(sample.second).add(digest);
  return hasher.hex();
}

// Prints each failure as it happens. The same failure of a sample under other trials is only counted.
void Recorder::report_failure(const FinishedRecord& finished) {
  ++failed_now_;
  if (!failures_.insert({finished.sample, finished.error}).second) return;
  progress_.line(
      fmt::format("failed: trial {}, sample {}: {}", finished.trial->number, finished.sample, finished.error));
}

}  // namespace roundtrip::run
