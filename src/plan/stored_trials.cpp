#include "plan/stored_trials.h"

#include <cmath>

#include "base/error.h"
#include "columns/columns.h"
#include "config/launch.h"
#include "hydra/compose/renamed_keys.h"
#include "hydra/tree/yaml.h"
#include "plan/schema.h"

namespace roundtrip::plan {
namespace {

using hydra::Node;

void complete(Node& config, const Node& built_in) {
  for (const config::Field& field : schema().fields()) {
    const Node* value = built_in.find(field.path);
    if (config.find(field.path) == nullptr && value != nullptr) config.set(field.path, *value);
  }
}

std::vector<store::Value> values_of(const store::ResultsReader& results, const store::Column& column) {
  std::vector<store::Value> values;
  const auto add = [&](const auto& found, const auto& is_missing) {
    for (const auto& value : found) {
      store::Value& added = values.emplace_back();
      if (!is_missing(value)) added = value;
    }
  };
  switch (column.type) {
    case store::ColumnType::kFloat64:
      add(results.numbers(column.name), [](double value) { return std::isnan(value); });
      break;
    case store::ColumnType::kInt64:
      add(results.integers(column.name), [](int64_t) { return false; });
      break;
    case store::ColumnType::kString:
      add(results.texts(column.name), [](const std::string& value) { return value.empty(); });
      break;
  }
  return values;
}

// What the sweep varied has columns of its own, with one value in all records of a trial.
void read_swept(const store::ResultsReader& results, std::vector<Trial>& trials) {
  const std::vector<int64_t> numbers = results.integers(columns::kTrial);
  for (const int64_t number : numbers) {
    if (number >= 0 && number < std::ssize(trials)) continue;
    throw input_error(results.path().string(), fmt::format("a record of trial {}", number),
                      fmt::format("0 to {}", trials.size() - 1));
  }
  for (const store::Column& column : results.columns()) {
    if (!columns::is_parameter(column.name)) continue;
    const std::string key = column.name.substr(2);
    for (Trial& trial : trials) trial.swept[key];  // of a trial without records it is not known
    const std::vector<store::Value> values = values_of(results, column);
    for (size_t row = 0; row < values.size(); ++row) trials[numbers[row]].swept[key] = values[row];
  }
}

}  // namespace

std::vector<Trial> stored_trials(const store::ResultsReader& results, const std::map<std::string, Node>& changed) {
  const Node built_in = hydra::preview({}, hydra::SearchPath::built_in(), hydra::Strictness::kLenient).job;
  config::Checker checker(schema());
  std::vector<Trial> trials;
  for (const std::string& yaml : results.trial_configs()) {
    Node config = hydra::parse_yaml(yaml, results.path().string());
    std::vector<std::string> old_names;  // which the run's own time knew: nothing to warn of
    hydra::rename_keys(config, old_names);
    complete(config, built_in);
    for (const auto& [key, value] : changed) config.set(hydra::renamed(key).value_or(key), value);
    Trial& trial = trials.emplace_back(read_settings(checker.validate(config)));
    trial.number = static_cast<int>(trials.size()) - 1;
  }
  if (trials.empty()) throw input_error(results.path().string(), "holds no trial", "the results of a run");
  read_swept(results, trials);
  return trials;
}

}  // namespace roundtrip::plan
