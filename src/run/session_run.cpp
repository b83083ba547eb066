#include "run/session_run.h"

#include <algorithm>
#include <utility>

namespace roundtrip::run {

using engine::Task;

bool lacks_records(const plan::Plan& plan, const plan::PlanSession& session, const store::RunStore& store) {
  return std::ranges::any_of(session.datasets, [&](const plan::PlanDataset& dataset) {
    return std::ranges::any_of(dataset.trials, [&](size_t k) {
      const int64_t first = plan.first_row[k], end = first + dataset.records(plan.trials[k]);
      for (int64_t row = first; row < end; ++row) {
        if (!store.holds(row)) return true;
      }
      return false;
    });
  });
}

SessionRun::SessionRun(const plan::Plan& plan, const plan::PlanSession& entry, session::Session& session,
                       Recorder& recorder, std::function<bool(int64_t rows)> between_batches)
    : plan_(plan), entry_(entry), session_(session), recorder_(recorder), between_batches_(std::move(between_batches)) {
  const auto any = [&](auto saves) { return std::ranges::any_of(plan.trials, saves); };
  const bool keep_path = any([](const plan::Trial& trial) { return trial.save_trajectories; });
  const bool keep_image = any([](const plan::Trial& trial) { return trial.save_images != plan::SaveImages::kNone; });
  for (size_t d = 0; d < entry_.datasets.size(); ++d) {
    const plan::PlanDataset& dataset = entry_.datasets[d];
    const StageContext context{session_, *dataset.dataset, keep_path, keep_image};
    makers_.push_back(std::make_unique<RecordMaker>(context, static_cast<int>(d), [this](FinishedRecord finished) {
      if (!warming_up_) recorder_.add(std::move(finished));
    }));
    std::vector<const plan::Trial*>& order = orders_.emplace_back();
    for (const size_t k : dataset.trials) order.push_back(&plan_.trials[k]);
    // Sort the longest first, so that batches stay full to the end.
    std::ranges::stable_sort(order, std::greater{}, [](const plan::Trial* trial) {
      const inversion::Rehearsal& seen = trial->rehearsals->of(*trial, {});
      return seen.invert.nfe.most.forward + seen.fit.nfe.most.forward + seen.walk.nfe.most.forward +
             seen.sample.nfe.most.forward;
    });
  }
}

bool SessionRun::run() {
  if (entry_.options.engine.timing == session::Timing::kIsolated) warm_up();
  return session_.engine().run([this] { return next(); }, [this] { return between_batches_(rows()); });
}

int64_t SessionRun::rows() const {
  return session_.engine().out_statistics().rows + session_.engine().vjp_statistics().rows;
}

// Proceeds sample by sample, so that readers of shared work are neighbours.
std::optional<Task<void>> SessionRun::next() {
  while (pending_.empty()) {
    if (dataset_ == entry_.datasets.size()) return std::nullopt;
    plan_sample();
  }
  const PlannedRecord planned = pending_.back();
  pending_.pop_back();
  return pending_maker_->make(planned, pending_sample_);
}

void SessionRun::plan_sample() {
  const plan::PlanDataset& dataset = entry_.datasets[dataset_];
  const std::vector<const plan::Trial*>& order = orders_[dataset_];
  rows_.resize(order.size());
  for (size_t k = 0; k < order.size(); ++k) {
    const plan::Trial& trial = *order[k];
    const int64_t records = dataset.records(trial, sample_);
    for (int64_t edit = 0; edit < records; ++edit) {
      const int64_t row = plan_.first_row[&trial - plan_.trials.data()] + rows_[k]++;
      if (!recorder_.store().holds(row)) pending_.push_back({&trial, static_cast<size_t>(edit), row});
    }
  }
  pending_maker_ = makers_[dataset_].get();
  pending_sample_ = sample_;
  pending_maker_->expect(pending_, sample_);
  std::ranges::reverse(pending_);
  if (++sample_ == dataset.dataset->ids().size()) {
    ++dataset_;
    sample_ = 0;
    rows_.clear();
  }
}

// Runs the first record once and discards it: an isolated timing excludes allocations and first calls.
void SessionRun::warm_up() {
  warming_up_ = true;
  bool given = false;
  session_.engine().run([&]() -> std::optional<Task<void>> {
    if (std::exchange(given, true)) return std::nullopt;
    const PlannedRecord first{.trial = orders_[0].front()};
    size_t sample = 0;
    while (entry_.datasets[0].records(*first.trial, sample) == 0) ++sample;
    makers_[0]->expect({first}, sample);
    return makers_[0]->make(first, sample);
  });
  warming_up_ = false;
}

}  // namespace roundtrip::run
