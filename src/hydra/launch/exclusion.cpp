#include "hydra/launch/exclusion.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "hydra/tree/python_equal.h"

namespace roundtrip::hydra {
namespace {

[[noreturn]] void bad_rule(const std::string& rule, const std::string& why) {
  throw Error(ErrorKind::kCompose, fmt::format("hydra.sweeper.exclude: '{}': {}", rule, why),
              "  expected comparisons joined by 'and', such as \"method=ddim and steps>50\"");
}

// The texts between the words `and`.
std::vector<std::string> comparisons_of(const std::string& rule) {
  std::vector<std::string> parts;
  size_t from = 0;
  for (size_t at = rule.find(" and "); at != std::string::npos; at = rule.find(" and ", from)) {
    parts.push_back(rule.substr(from, at - from));
    from = at + 5;
  }
  parts.push_back(rule.substr(from));
  return parts;
}

Node value_of(const std::string& text, const std::string& rule) {
  try {
    return to_node(*parse_override("k=" + text).value);
  } catch (const Error& error) {
    bad_rule(rule, fmt::format("'{}' is not a value: {}", text, error.message()));
  }
}

bool is_number(const Node& node) { return node.kind() == Node::Kind::kInt || node.kind() == Node::Kind::kFloat; }

bool compares(const Node& found, const std::string& op, const Node& expected, const std::string& rule) {
  if (op == "=" || op == "!=") {
    const bool equal = expected.is_list() && !found.is_list()
                           ? std::any_of(expected.list().begin(), expected.list().end(),
                                         [&](const Node& one) { return python_equal(found, one); })
                           : python_equal(found, expected);
    return equal == (op == "=");
  }
  if (!is_number(found) || !is_number(expected)) {
    bad_rule(rule, fmt::format("{} and {} have no order; expected numbers", show(found), show(expected)));
  }
  const double a = found.as_float(), b = expected.as_float();
  if (op == "<") return a < b;
  if (op == "<=") return a <= b;
  if (op == ">") return a > b;
  return a >= b;
}

}  // namespace

Exclusion::Exclusion(const Node* rules, const Sweep& sweep, const Composition& master) : sweep_(sweep) {
  if (rules == nullptr || !rules->is_list()) return;
  for (const Node& rule : rules->list()) {
    std::vector<Comparison> comparisons;
    for (const std::string& text : comparisons_of(rule.as_string())) {
      comparisons.push_back(comparison(text, rule.as_string(), master));
    }
    rules_.push_back(std::move(comparisons));
  }
}

Exclusion::Comparison Exclusion::comparison(const std::string& text, const std::string& rule,
                                            const Composition& master) const {
  const size_t at = text.find_first_of("=!<>");
  if (at == std::string::npos) bad_rule(rule, fmt::format("'{}' compares nothing", text));
  std::string op;
  for (const char* known : {"==", "!=", "<=", ">=", "=", "<", ">"}) {
    if (op.empty() && text.compare(at, std::string(known).size(), known) == 0) op = known;
  }
  if (op.empty()) bad_rule(rule, fmt::format("'{}' compares nothing", text));
  const std::string key(trim(text.substr(0, at)));
  const Node expected = value_of(std::string(trim(text.substr(at + op.size()))), rule);
  if (op == "==") op = "=";

  Comparison result;
  for (size_t d = 0; d < sweep_.dimensions.size(); ++d) {
    const Dimension& dimension = sweep_.dimensions[d];
    for (size_t k = 0; k < dimension.keys.size(); ++k) {
      if (dimension.keys[k].substr(std::min(dimension.keys[k].find_first_not_of('+'), dimension.keys[k].size())) !=
          key) {
        continue;
      }
      result = {d, {}};
      for (const auto& point : dimension.points) {
        result.holds.push_back(compares(value_of(point[k].substr(1), rule), op, expected, rule));
      }
    }
  }
  if (result.dimension) return result;
  const auto choice = master.choices.find(key);
  const Node* found = choice != master.choices.end() ? &choice->second : master.job.find(key);
  if (found == nullptr) {
    std::vector<std::string> names = sweep_.swept();
    for (const auto& [group, option] : master.choices) names.push_back(group);
    for (const auto& entry : master.job.dict()) names.push_back(entry.key().text);
    bad_rule(rule, fmt::format("there is no key '{}'.{}", key, did_you_mean(key, names)));
  }
  return {std::nullopt, {compares(*found, op, expected, rule)}};
}

bool Exclusion::excludes(size_t job) const {
  return std::any_of(rules_.begin(), rules_.end(), [&](const std::vector<Comparison>& rule) {
    return std::all_of(rule.begin(), rule.end(), [&](const Comparison& one) {
      return one.holds[one.dimension ? sweep_.position(job, *one.dimension) : 0];
    });
  });
}

}  // namespace roundtrip::hydra
