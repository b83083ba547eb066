#include "config/params.h"

#include <algorithm>
#include <optional>

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

namespace {

std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' || c == '\\' ? std::string{'\\', c} : std::string(1, c);
  return out + "'";
}

// Python's spelling of a value, but for strings at the top, which stay as they are, and constants, which are YAML's.
struct Shown {
  bool nested = false;

  std::string operator()(std::monostate) const { return "null"; }
  std::string operator()(bool b) const { return b ? "true" : "false"; }
  std::string operator()(int64_t n) const { return std::to_string(n); }
  std::string operator()(double x) const { return python_repr(x); }
  std::string operator()(const std::string& text) const { return nested ? quoted(text) : text; }
  std::string operator()(const List& list) const {
    std::vector<std::string> items;
    for (const Value& item : list) items.push_back(std::visit(Shown{true}, item));
    return fmt::format("[{}]", join(items, ", "));
  }
  std::string operator()(const Map& map) const {
    std::vector<std::string> items;
    for (const auto& [key, item] : map) {
      items.push_back(fmt::format("{}: {}", quoted(key), std::visit(Shown{true}, item)));
    }
    return fmt::format("{{{}}}", join(items, ", "));
  }
};

// Python's name of a type; null has none in messages.
struct TypeName {
  std::string_view operator()(std::monostate) const { return ""; }
  std::string_view operator()(bool) const { return "bool"; }
  std::string_view operator()(int64_t) const { return "int"; }
  std::string_view operator()(double) const { return "float"; }
  std::string_view operator()(const std::string&) const { return "str"; }
  std::string_view operator()(const List&) const { return "list"; }
  std::string_view operator()(const Map&) const { return "dict"; }
};

std::optional<double> number_in(const Value& value, const FloatRange& range) {
  const auto* integer = std::get_if<int64_t>(&value);
  const auto* real = std::get_if<double>(&value);
  if (integer == nullptr && real == nullptr) return std::nullopt;
  const double x = integer != nullptr ? static_cast<double>(*integer) : *real;
  // NaN is outside every range, and infinity outside every range with a limit on that side.
  return x >= range.min && x <= range.max ? std::optional(x) : std::nullopt;
}

std::string float_text(const FloatRange& range) {
  const FloatRange all;
  return range_text("float", range, range.min != all.min, range.max != all.max, python_repr);
}

bool holds(const SizeRange& range, size_t size) { return size >= range.min && size <= range.max; }

// " of 2", " of 1 to 2", " of at least 1" or nothing, after "list".
std::string size_text(const SizeRange& size) {
  const bool most = size.max != SizeRange().max;
  if (size.min == size.max) return fmt::format(" of {}", size.min);
  if (size.min > 0 && most) return fmt::format(" of {} to {}", size.min, size.max);
  if (size.min > 0) return fmt::format(" of at least {}", size.min);
  return most ? fmt::format(" of at most {}", size.max) : "";
}

// Strings of a value that is a string or a list of strings; nothing for any other.
std::optional<std::vector<std::string>> strings_of(const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return std::vector{*text};
  const auto* list = std::get_if<List>(&value);
  if (list == nullptr) return std::nullopt;
  std::vector<std::string> all;
  for (const Value& item : *list) {
    const auto* text = std::get_if<std::string>(&item);
    if (text == nullptr) return std::nullopt;
    all.push_back(*text);
  }
  return all;
}

}  // namespace

std::string canonical_text(const Value& value) { return std::visit(Shown{}, value); }

std::string canonical_text(const Params& params) {
  std::string text;
  for (const auto& [key, value] : params.values()) {
    text += fmt::format("{}{}={}", text.empty() ? "" : ",", key, canonical_text(value));
  }
  return text;
}

std::string value_text(const Value& value) {
  constexpr size_t kLongest = 100;
  if (const auto* text = std::get_if<std::string>(&value)) {
    return fmt::format("'{}' of type str", text->substr(0, kLongest));
  }
  const std::string text = canonical_text(value);
  const std::string_view type = std::visit(TypeName{}, value);
  const std::string shown = text.size() > kLongest ? text.substr(0, kLongest) + "..." : text;
  return type.empty() ? shown : fmt::format("{} of type {}", shown, type);
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

std::string Params::origin_text(const std::string& key) const {
  const auto origin = origins_.find(key);
  return origin == origins_.end() ? "" : origin->second + ": ";
}

Error Params::wrong(const std::string& key, std::string_view expected) const {
  return Error(ErrorKind::kType, fmt::format("{}{}.{}: found {}; expected {}", origin_text(key), section_, key,
                                             value_text(values_.at(key)), expected));
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
  const std::optional<double> x = number_in(find(key), range);
  asked_[key] = float_text(range);
  if (!x) throw wrong(key, asked_[key]);
  return *x;
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

std::string Params::get_string_or(const std::string& key, const std::string& fallback,
                                  const std::vector<std::string>& choices) const {
  const bool given = has(key) && !is_null(key);
  std::string value = given ? get_string(key, choices) : fallback;
  asked_[key] = (choices.empty() ? "str" : fmt::format("one of [{}]", join(choices, ", "))) + " or null";
  return value;
}

bool Params::get_bool_or(const std::string& key, bool fallback) const {
  const bool given = has(key) && !is_null(key);
  const bool value = given ? get_bool(key) : fallback;
  asked_[key] = "bool or null";
  return value;
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

std::vector<double> Params::get_floats(const std::string& key, SizeRange size, FloatRange range) const {
  const Value& value = find(key);
  const bool one = holds(size, 1), none = size.min == 0;
  asked_[key] = fmt::format("{}list{}, each {}{}", one ? "float or " : "", size_text(size), float_text(range),
                            none ? ", or null" : "");
  if (none && std::holds_alternative<std::monostate>(value)) return {};
  const std::optional<double> number = number_in(value, range);
  if (one && number) return {*number};
  const auto* list = std::get_if<List>(&value);
  if (list == nullptr || !holds(size, list->size())) throw wrong(key, asked_[key]);
  std::vector<double> all;
  for (const Value& item : *list) {
    const std::optional<double> x = number_in(item, range);
    if (!x) throw wrong(key, asked_[key]);
    all.push_back(*x);
  }
  return all;
}

std::vector<std::pair<std::string, double>> Params::get_weights(const std::string& key, FloatRange range) const {
  const Value& value = find(key);
  asked_[key] = fmt::format("dict of str to {}, or null", float_text(range));
  if (std::holds_alternative<std::monostate>(value)) return {};
  const auto* map = std::get_if<Map>(&value);
  if (map == nullptr) throw wrong(key, asked_[key]);
  std::vector<std::pair<std::string, double>> weights;
  for (const auto& [word, item] : *map) {
    const std::optional<double> x = number_in(item, range);
    if (!x) throw section(key).wrong(word, float_text(range));
    weights.emplace_back(word, *x);
  }
  return weights;
}

std::vector<std::string> Params::get_strings(const std::string& key) const {
  const Value& value = find(key);
  asked_[key] = "str, list of str, or null";
  if (std::holds_alternative<std::monostate>(value)) return {};
  std::optional<std::vector<std::string>> strings = strings_of(value);
  if (!strings) throw wrong(key, asked_[key]);
  return std::move(*strings);
}

std::vector<std::vector<std::string>> Params::get_string_lists(const std::string& key, SizeRange size) const {
  const Value& value = find(key);
  asked_[key] = fmt::format("list{}, each str or list of str, or null", size_text(size));
  if (std::holds_alternative<std::monostate>(value)) return {};
  const auto* list = std::get_if<List>(&value);
  if (list == nullptr || !holds(size, list->size())) throw wrong(key, asked_[key]);
  std::vector<std::vector<std::string>> all;
  for (const Value& item : *list) {
    std::optional<std::vector<std::string>> strings = strings_of(item);
    if (!strings) throw wrong(key, asked_[key]);
    all.push_back(std::move(*strings));
  }
  return all;
}

const Params& Params::section(const std::string& key) const {
  for (const auto& [known, params] : sections_) {
    if (known == key) return params;
  }
  const auto* map = std::get_if<Map>(&find(key));
  asked_[key] = "a section with parameters";
  if (map == nullptr) throw wrong(key, asked_[key]);
  std::map<std::string, Value> values;
  std::map<std::string, std::string> origins;
  for (const auto& [name, value] : *map) {
    values.emplace(name, value);
    // The place of the key itself or of the innermost section around it that has one.
    const auto own = origins_.find(key + "." + name), around = origins_.find(key);
    if (own != origins_.end()) {
      origins.emplace(name, own->second);
    } else if (around != origins_.end()) {
      origins.emplace(name, around->second);
    }
    const std::string below = key + "." + name + ".";
    for (auto inner = origins_.lower_bound(below); inner != origins_.end() && inner->first.starts_with(below);
         ++inner) {
      origins.emplace(inner->first.substr(key.size() + 1), inner->second);
    }
  }
  sections_.emplace_back(key, Params(section_ + "." + key, std::move(values), std::move(origins)));
  return sections_.back().second;
}

const Value& Params::get_value(const std::string& key, const std::string& type) const {
  const Value& value = find(key);
  asked_[key] = type;
  return value;
}

void Params::check_all_read(const std::string& owner) const {
  for (const auto& [key, value] : values_) {
    if (asked_.contains(key)) continue;
    std::vector<std::string> known;
    for (const auto& [name, type] : asked_) known.push_back(name);
    throw Error(
        ErrorKind::kType,
        fmt::format("{}{}.{}: {} has no such parameter; {}{}", origin_text(key), section_, key, owner,
                    known.empty() ? "it has none" : "it has " + join(known, ", ") + ".", did_you_mean(key, known)));
  }
  for (const auto& [key, params] : sections_) params.check_all_read(owner);
}

std::vector<std::string> Params::unread() const {
  std::vector<std::string> keys;
  for (const auto& [key, value] : values_) {
    if (!asked_.contains(key)) keys.push_back(key);
  }
  for (const auto& [section, params] : sections_) {
    for (const std::string& key : params.unread()) keys.push_back(section + "." + key);
  }
  return keys;
}

std::map<std::string, std::string> Params::asked() const {
  std::map<std::string, std::string> all = asked_;
  for (const auto& [section, params] : sections_) {
    const std::map<std::string, std::string> inner = params.asked();
    if (!inner.empty()) all.erase(section);
    for (const auto& [key, type] : inner) all[section + "." + key] = type;
  }
  return all;
}

}  // namespace roundtrip::config
