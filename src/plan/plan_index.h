// Finds the place of a stored record in a plan, by the settings in its row.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "plan/plan.h"

namespace roundtrip::plan {

class PlanIndex {
 public:
  explicit PlanIndex(const Plan& plan);  // throws kInput where two edits of a sample cannot be told apart

  // The plan row of a trial's record; nothing where the plan has none such. `edit` is the column's text.
  std::optional<int64_t> row(size_t trial, const std::string& sample, const std::string& edit) const;

  std::optional<size_t> trial(const std::string& id) const;

  // The input_digest that a sample should have now; computed when first needed.
  const std::string& input_digest(size_t trial, const std::string& sample);

 private:
  struct Samples {
    const data::Dataset* dataset = nullptr;
    std::map<std::string, size_t> number;                             // by sample
    std::map<std::pair<std::string, std::string>, int64_t> edit_row;  // by sample and edit: from a trial's first row
    std::map<std::string, std::string> digests;                       // by sample
  };

  const Plan& plan_;
  std::vector<Samples> samples_;          // by dataset
  std::vector<size_t> samples_of_trial_;  // by trial
  std::map<std::string, size_t> trials_;  // by id
};

}  // namespace roundtrip::plan
