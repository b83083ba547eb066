#include "run/table.h"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "columns/columns.h"
#include "session/edit_scores.h"

namespace roundtrip::run {
namespace {

std::vector<store::Column> metric_columns(const plan::Plan& plan) {
  const bool edits = std::ranges::any_of(plan.trials, &plan::Trial::edits);
  std::vector<store::Column> columns;
  using Definition = std::tuple<std::string, const metrics::MetricParams&, session::Protocol>;
  std::vector<Definition> seen;  // few, however many trials
  for (const plan::Trial& trial : plan.trials) {
    for (const std::string& name : trial.metrics) {
      const Definition definition(name, trial.metric_params, trial.protocol);
      if (std::ranges::find(seen, definition) != seen.end()) continue;
      seen.push_back(definition);
      const metrics::MetricInfo info = metrics::make_metric(name, trial.metric_params)->info();
      for (store::Column& column : session::score_columns(info, trial.protocol, edits, /*with_floor=*/true)) {
        const auto same = std::ranges::find(columns, column.name, &store::Column::name);
        if (same == columns.end()) {
          columns.push_back(std::move(column));
        } else if (same->version != column.version) {
          throw Error(ErrorKind::kType,
                      fmt::format("{}: the trials define it as '{}' and as '{}'; expected one definition in a run",
                                  column.name, same->version, column.version));
        }
      }
    }
  }
  return columns;
}

}  // namespace

store::TableLayout table_layout(const plan::Plan& plan) {
  std::vector<store::Column> parameters;
  for (const std::string& key : plan.parameters) {
    // A parameter's column has the common type of its values; mixed types become text.
    store::ColumnType type = store::ColumnType::kInt64;
    for (const plan::Trial& trial : plan.trials) {
      const store::Value& value = trial.swept.at(key);
      if (std::holds_alternative<std::string>(value)) type = store::ColumnType::kString;
      const bool number = std::holds_alternative<double>(value) || std::holds_alternative<std::monostate>(value);
      if (number && type == store::ColumnType::kInt64) type = store::ColumnType::kFloat64;
    }
    parameters.push_back({.name = columns::parameter_column(key),
                          .type = type,
                          .long_name = "the swept key " + key,
                          .units = {},
                          .direction = {},
                          .version = {}});
  }
  store::TableLayout layout;
  layout.columns = columns::table_columns(parameters, metric_columns(plan));
  layout.attributes["title"] = "roundtrip: diffusion inversion, one row per trial and sample";
  for (const plan::Trial& trial : plan.trials) {
    layout.trial_configs.push_back(trial.config_yaml);
    layout.trial_ids.push_back(trial.id);
  }
  layout.planned_records = plan.records;
  return layout;
}

void unify_parameters(const std::vector<store::Column>& columns, store::Record& record) {
  for (const store::Column& column : columns) {
    const auto entry = record.values.find(column.name);
    if (entry == record.values.end() || !columns::is_parameter(column.name)) continue;
    store::Value& value = entry->second;
    if (column.type == store::ColumnType::kFloat64 && std::holds_alternative<int64_t>(value)) {
      value = static_cast<double>(std::get<int64_t>(value));
    } else if (column.type == store::ColumnType::kString) {
      if (const auto* count = std::get_if<int64_t>(&value)) value = fmt::format("{}", *count);
      if (const auto* number = std::get_if<double>(&value)) value = python_repr(*number);
    }
  }
}

}  // namespace roundtrip::run
