#include "analysis/gate/tolerances.h"

#include <algorithm>
#include <cmath>

#include "analysis/assets.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "hydra/tree/yaml.h"

namespace roundtrip::analysis {
namespace {

using hydra::Node;

void require_keys(const Node& node, const std::string& where, const std::vector<std::string>& known) {
  if (!node.is_dict()) throw Error(ErrorKind::kType, fmt::format("{}: expected keys {}", where, join(known, ", ")));
  for (const std::string& key : node.dict().keys()) {
    if (std::ranges::find(known, key) != known.end()) continue;
    throw Error(ErrorKind::kType, fmt::format("{}: '{}'; expected one of {}.{}", where, key, join(known, ", "),
                                              did_you_mean(key, known)));
  }
}

double number_at(const Node& node, const char* key, const std::string& where, double otherwise) {
  const Node* value = node.find(key);
  if (value == nullptr) return otherwise;
  const double number = value->as_float();
  if (!(number >= 0) || std::isinf(number)) {
    throw Error(ErrorKind::kType, fmt::format("{}: {} is {}; expected 0 or more", where, key, number));
  }
  return number;
}

}  // namespace

double Tolerance::around(double baseline) const {
  return absolute + (relative == 0 ? 0 : relative * std::abs(baseline));
}

Tolerances Tolerances::built_in() {
  Tolerances tolerances;
  tolerances.add(asset("tolerances.yaml"), "tolerances.yaml");
  return tolerances;
}

Tolerances Tolerances::read(const std::filesystem::path& file) {
  Tolerances tolerances = built_in();
  tolerances.add(read_file(file), file.string());
  return tolerances;
}

void Tolerances::add(std::string_view text, const std::string& file) {
  const Node root = hydra::parse_yaml(text, file);
  require_keys(root, file, {"confidence", "quality", "timing"});
  confidence_ = number_at(root, "confidence", file, confidence_);
  if (confidence_ >= 1) throw Error(ErrorKind::kType, fmt::format("{}: confidence; expected below 1", file));
  for (const auto& [section, rules] : {std::pair{"quality", &quality_}, std::pair{"timing", &timing_}}) {
    const Node* list = root.find(section);
    if (list == nullptr) continue;
    for (const Node& entry : list->list()) {
      const std::string where = entry.mark().known() ? entry.mark().text() : file;
      require_keys(entry, where, {"metric", "where", "absolute", "relative"});
      const Node *metric = entry.find("metric"), *selector = entry.find("where");
      rules->push_back({.metric = metric == nullptr ? "*" : metric->as_string(),
                        .where = selector == nullptr ? Selector{} : parse_selector(selector->as_string(), where),
                        .tolerance = {.absolute = number_at(entry, "absolute", where, 0),
                                      .relative = number_at(entry, "relative", where, 0)}});
    }
  }
}

Tolerance Tolerances::last_fit(const std::vector<Rule>& rules, const std::string& metric, const Results& results,
                               const Cell& cell) {
  Tolerance found;
  for (const Rule& rule : rules) {
    const auto has = [&](const auto& part) { return value_is(cell.setting[results.axis(part.first)], part.second); };
    const bool named = rule.metric == "*" || rule.metric == metric;
    if (named && std::ranges::all_of(rule.where, has)) found = rule.tolerance;
  }
  return found;
}

Tolerance Tolerances::quality(const std::string& metric, const Results& results, const Cell& cell) const {
  return last_fit(quality_, metric, results, cell);
}

Tolerance Tolerances::timing(const std::string& metric, const Results& results, const Cell& cell) const {
  return last_fit(timing_, metric, results, cell);
}

}  // namespace roundtrip::analysis
