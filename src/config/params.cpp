#include "config/params.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"

namespace roundtrip::config {
namespace {

template <typename Range, typename Show>
std::string range_text(std::string_view type, const Range& range, bool low, bool high, Show show) {
  if (low && high) return fmt::format("{} in [{}, {}]", type, show(range.min), show(range.max));
  if (low) return fmt::format("{} of at least {}", type, show(range.min));
  if (high) return fmt::format("{} of at most {}", type, show(range.max));
  return std::string(type);
}

}  // namespace

std::string value_text(const Params::Value& value) {
  struct {
    std::string operator()(std::monostate) const { return "null"; }
    std::string operator()(bool b) const { return b ? "true of type bool" : "false of type bool"; }
    std::string operator()(int64_t n) const { return fmt::format("{} of type int", n); }
    std::string operator()(double x) const { return fmt::format("{} of type float", python_repr(x)); }
    std::string operator()(const std::string& text) const {
      return fmt::format("'{}' of type str", text.substr(0, 100));
    }
  } visitor;
  return std::visit(visitor, value);
}

Params::Params(std::string section, std::map<std::string, Value> values, std::map<std::string, std::string> origins)
    : section_(std::move(section)), values_(std::move(values)), origins_(std::move(origins)) {}

bool Params::has(const std::string& key) const { return values_.count(key) != 0; }

bool Params::is_null(const std::string& key) const { return std::holds_alternative<std::monostate>(find(key)); }

const Params::Value& Params::find(const std::string& key) const {
  asked_.try_emplace(key);
  const auto found = values_.find(key);
  if (found != values_.end()) return found->second;
  std::vector<std::string> keys;
  for (const auto& [name, value] : values_) keys.push_back(name);
  throw Error(ErrorKind::kMissing, fmt::format("{}.{} is not in the config; {} has {}.{}", section_, key, section_,
                                               keys.empty() ? "no keys" : join(keys, ", "), did_you_mean(key, keys)));
}

Error Params::wrong(const std::string& key, std::string_view expected) const {
  const auto origin = origins_.find(key);
  return Error(ErrorKind::kType,
               fmt::format("{}{}.{}: found {}; expected {}", origin == origins_.end() ? "" : origin->second + ": ",
                           section_, key, value_text(values_.at(key)), expected));
}

bool Params::get_bool(const std::string& key) const {
  const auto* value = std::get_if<bool>(&find(key));
  asked_[key] = "bool";
  if (value == nullptr) throw wrong(key, asked_[key]);
  return *value;
}

int64_t Params::get_int(const std::string& key, IntRange range) const {
  const auto* value = std::get_if<int64_t>(&find(key));
  const IntRange all;
  asked_[key] =
      range_text("int", range, range.min != all.min, range.max != all.max, [](int64_t n) { return std::to_string(n); });
  if (value == nullptr || *value < range.min || *value > range.max) throw wrong(key, asked_[key]);
  return *value;
}

double Params::get_float(const std::string& key, FloatRange range) const {
  const Value& value = find(key);
  const auto* integer = std::get_if<int64_t>(&value);
  const auto* real = std::get_if<double>(&value);
  const double x = integer != nullptr ? static_cast<double>(*integer) : real != nullptr ? *real : 0;
  const FloatRange all;
  asked_[key] = range_text("float", range, range.min != all.min, range.max != all.max, python_repr);
  // NaN is outside every range, and infinity outside every range with a limit on that side.
  if ((integer == nullptr && real == nullptr) || !(x >= range.min && x <= range.max)) throw wrong(key, asked_[key]);
  return x;
}

const std::string& Params::get_string(const std::string& key, const std::vector<std::string>& choices) const {
  const auto* value = std::get_if<std::string>(&find(key));
  asked_[key] = choices.empty() ? "str" : fmt::format("one of [{}]", join(choices, ", "));
  const bool known =
      choices.empty() || (value != nullptr && std::find(choices.begin(), choices.end(), *value) != choices.end());
  if (value == nullptr || !known) {
    const std::string near = choices.empty() || value == nullptr ? "" : "." + did_you_mean(*value, choices);
    throw wrong(key, asked_[key] + near);
  }
  return *value;
}

std::string Params::get_path(const std::string& key) const {
  check(is_path(key), key + " is a key of a path");
  asked_[key] = "path or null";
  if (!has(key) || is_null(key)) return "";
  const auto* value = std::get_if<std::string>(&find(key));
  asked_[key] = "path or null";
  if (value == nullptr) throw wrong(key, "a path or null");
  return *value;
}

void Params::check_all_read(const std::string& owner) const {
  const std::vector<std::string> keys = unread();
  if (keys.empty()) return;
  const std::string& key = keys.front();
  const auto origin = origins_.find(key);
  std::vector<std::string> known;
  for (const auto& [name, type] : asked_) known.push_back(name);
  throw Error(ErrorKind::kType, fmt::format("{}{}.{}: {} has no such parameter; {}{}",
                                            origin == origins_.end() ? "" : origin->second + ": ", section_, key, owner,
                                            known.empty() ? "it has none" : "it has " + join(known, ", ") + ".",
                                            did_you_mean(key, known)));
}

std::vector<std::string> Params::unread() const {
  std::vector<std::string> keys;
  for (const auto& [key, value] : values_) {
    if (asked_.count(key) == 0) keys.push_back(key);
  }
  return keys;
}

}  // namespace roundtrip::config
