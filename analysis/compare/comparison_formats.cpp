// A comparison as a table for people and as JSON.
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analysis/compare/comparison.h"
#include "analysis/table/text_table.h"

namespace roundtrip::analysis {
namespace {

nlohmann::ordered_json number(double value) {
  return std::isfinite(value) ? nlohmann::ordered_json(value) : nlohmann::ordered_json(nullptr);
}

std::string interval_text(const Interval& interval) {
  return interval.known() ? fmt::format("[{:.4g}, {:.4g}]", interval.low, interval.high) : "-";
}

}  // namespace

std::string comparison_table(const Comparison& comparison) {
  TextTable table(
      {"setting", "measure", "images", "A", "B", "B - A", "95 % interval", "p", "better", "worse", "left out"});
  for (const CellComparison& cell : comparison.cells) {
    std::string label = cell.label;
    for (const MetricComparison& metric : cell.metrics) {
      table.add({label, metric.column.name, fmt::format("{}", metric.images), fmt::format("{:.5g}", metric.a),
                 fmt::format("{:.5g}", metric.b), fmt::format("{:+.4g}", metric.difference),
                 interval_text(metric.interval), std::isnan(metric.p) ? "-" : fmt::format("{:.2g}", metric.p),
                 fmt::format("{}", metric.better), fmt::format("{}", metric.worse),
                 fmt::format("{}", metric.left_out + metric.only_a + metric.only_b)});
      label.clear();
    }
  }
  std::string text = table.text();
  for (const std::string& label : comparison.only_a) text += fmt::format("only in A: {}\n", label);
  for (const std::string& label : comparison.only_b) text += fmt::format("only in B: {}\n", label);
  return text;
}

std::string comparison_json(const Comparison& comparison) {
  nlohmann::ordered_json json;
  json["cells"] = nlohmann::ordered_json::array();
  for (const CellComparison& cell : comparison.cells) {
    nlohmann::ordered_json metrics = nlohmann::ordered_json::object();
    for (const MetricComparison& metric : cell.metrics) {
      metrics[metric.column.name] = {{"a", number(metric.a)},
                                     {"b", number(metric.b)},
                                     {"difference", number(metric.difference)},
                                     {"low", number(metric.interval.low)},
                                     {"high", number(metric.interval.high)},
                                     {"p", number(metric.p)},
                                     {"images", metric.images},
                                     {"left_out", metric.left_out},
                                     {"only_a", metric.only_a},
                                     {"only_b", metric.only_b},
                                     {"better", metric.better},
                                     {"worse", metric.worse},
                                     {"equal", metric.equal}};
    }
    json["cells"].push_back({{"setting", cell.label}, {"measures", std::move(metrics)}});
  }
  json["only_a"] = comparison.only_a;
  json["only_b"] = comparison.only_b;
  return json.dump(2) + "\n";
}

}  // namespace roundtrip::analysis
