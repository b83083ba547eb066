#include "plan/plan_index.h"

#include <fmt/format.h>

#include "base/error.h"
#include "plan/record_identity.h"

namespace roundtrip::plan {

PlanIndex::PlanIndex(const Plan& plan) : plan_(plan), samples_of_trial_(plan.trials.size()) {
  for (size_t k = 0; k < plan.trials.size(); ++k) trials_.emplace(plan.trials[k].id, k);
  for (const PlanSession& session : plan.sessions) {
    for (const PlanDataset& entry : session.datasets) {
      for (const size_t k : entry.trials) samples_of_trial_[k] = samples_.size();
      Samples& samples = samples_.emplace_back();
      samples.dataset = entry.dataset.get();
      int64_t row = 0;
      for (size_t s = 0; s < entry.dataset->ids().size(); ++s) {
        const std::string& id = entry.dataset->ids()[s];
        samples.number.emplace(id, s);
        for (const data::EditName& edit : entry.dataset->edits(s)) {
          if (!samples.edit_row.emplace(std::pair(id, edit_text(edit)), row++).second) {
            throw input_error(entry.options.path.string(),
                              fmt::format("sample {} has two edits named '{}'", id, edit_text(edit)),
                              "edits with names of their own, so that a run can be resumed");
          }
        }
      }
    }
  }
}

std::optional<size_t> PlanIndex::trial(const std::string& id) const {
  const auto found = trials_.find(id);
  return found == trials_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<int64_t> PlanIndex::row(size_t trial, const std::string& sample, const std::string& edit) const {
  const Samples& samples = samples_[samples_of_trial_[trial]];
  if (plan_.trials[trial].edits) {
    const auto found = samples.edit_row.find({sample, edit});
    return found == samples.edit_row.end() ? std::nullopt : std::optional(plan_.first_row[trial] + found->second);
  }
  const auto found = samples.number.find(sample);
  if (found == samples.number.end()) return std::nullopt;
  return plan_.first_row[trial] + static_cast<int64_t>(found->second);
}

const std::string& PlanIndex::input_digest(size_t trial, const std::string& sample) {
  Samples& samples = samples_[samples_of_trial_[trial]];
  const auto [entry, is_new] = samples.digests.emplace(sample, "");
  if (is_new) entry->second = short_digest(*samples.dataset, samples.number.at(sample));
  return entry->second;
}

}  // namespace roundtrip::plan
