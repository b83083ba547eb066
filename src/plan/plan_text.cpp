#include "plan/plan_text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace roundtrip::plan {

std::string plan_text(const Plan& plan, const std::optional<Estimate>& estimate) {
  const auto range = [](int64_t least, int64_t most) {
    return least == most ? fmt::format("{}", most) : fmt::format("{} to {}", least, most);
  };
  const auto evaluations = [&](const inversion::NfeBounds& nfe) {
    std::string text = range(nfe.least.forward, nfe.most.forward);
    if (nfe.most.backward > 0) {
      text += fmt::format(" forward and {} backward", range(nfe.least.backward, nfe.most.backward));
    }
    return text;
  };
  std::string text;
  const auto line = [&](const char* name, const std::string& value) { text += fmt::format("{:<21}{}\n", name, value); };
  line("trials", fmt::format("{}", plan.trials.size()));
  if (!plan.swept.empty()) line("swept", join(plan.swept, ", "));
  for (const PlanSession& session : plan.sessions) {
    line("model", fmt::format("{} ({} parameters, {})", session.options.model.path, count_text(session.parameters),
                              session.options.model.dtype));
    for (const PlanDataset& entry : session.datasets) {
      line("dataset", fmt::format("{} ({} samples of {} x {}, {} trials)", entry.options.path.string(),
                                  entry.dataset->ids().size(), entry.options.size.first, entry.options.size.second,
                                  entry.trials.size()));
    }
  }
  line("records", fmt::format("{}", plan.records));
  line("NFE without sharing", evaluations(plan.asked));
  const double part = plan.asked.most.forward > 0 ? 100.0 * plan.made.most.forward / plan.asked.most.forward : 100;
  line("NFE with sharing",
       fmt::format("{} ({:.0f} %: records share inversions and samplings)", evaluations(plan.made), part));
  if (plan.saved_bytes > 0) line("saved arrays", bytes_text(plan.saved_bytes));
  if (!estimate) return text;
  for (const Estimate::Speed& speed : estimate->sessions) {
    line("evaluation", fmt::format("{:.3g} ms in batches of {}{}", 1e3 * speed.eps_seconds, speed.max_batch,
                                   speed.gradient_seconds > 0
                                       ? fmt::format("; {:.3g} ms with its gradient", 1e3 * speed.gradient_seconds)
                                       : ""));
  }
  line("time", fmt::format("{}about {} on this machine as it is now", plan.made.exact() ? "" : "at most ",
                           seconds_text(estimate->seconds)));
  line("memory", "about " + bytes_text(estimate->memory_bytes));
  line("disk", "about " + bytes_text(estimate->disk_bytes));
  return text;
}

std::string plan_json(const Plan& plan, const std::optional<Estimate>& estimate) {
  nlohmann::ordered_json json;
  const auto evaluations = [](const inversion::NfeBounds& nfe) {
    const auto& [least, most] = nfe;
    return nlohmann::ordered_json{{"forward", most.forward},
                                  {"backward", most.backward},
                                  {"exact", nfe.exact()},
                                  {"least", {{"forward", least.forward}, {"backward", least.backward}}}};
  };
  json["trials"] = plan.trials.size();
  json["records"] = plan.records;
  json["swept"] = plan.swept;
  json["evaluations_asked"] = evaluations(plan.asked);
  json["evaluations_made"] = evaluations(plan.made);
  json["saved_bytes"] = plan.saved_bytes;
  if (estimate) {
    json["seconds"] = estimate->seconds;
    json["memory_bytes"] = estimate->memory_bytes;
    json["disk_bytes"] = estimate->disk_bytes;
  }
  for (size_t b = 0; b < plan.sessions.size(); ++b) {
    const PlanSession& session = plan.sessions[b];
    nlohmann::ordered_json entry{{"model", session.options.model.path},
                                 {"dtype", session.options.model.dtype},
                                 {"parameters", session.parameters}};
    for (const PlanDataset& dataset : session.datasets) {
      entry["datasets"].push_back({{"path", dataset.options.path.string()},
                                   {"samples", dataset.dataset->ids().size()},
                                   {"trials", dataset.trials.size()}});
    }
    if (estimate) {
      const Estimate::Speed& speed = estimate->sessions[b];
      entry["max_batch"] = speed.max_batch;
      entry["seconds_per_evaluation"] = speed.eps_seconds;
      entry["seconds_per_gradient"] = speed.gradient_seconds;
      entry["seconds_per_image"] = speed.image_seconds;
    }
    json["benches"].push_back(std::move(entry));
  }
  return json.dump(2) + "\n";
}

}  // namespace roundtrip::plan
