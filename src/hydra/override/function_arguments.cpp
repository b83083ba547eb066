#include "hydra/override/function_arguments.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/text.h"

namespace roundtrip::hydra {

void type_error(std::string reason) { throw PythonError{"TypeError", std::move(reason)}; }
void value_error(std::string reason) { throw PythonError{"ValueError", std::move(reason)}; }

std::string type_name(const Element& element) {
  static constexpr const char* kNames[] = {"NoneType",      "bool", "int",     "float",       "str",
                                           "QuotedString",  "list", "dict",    "ChoiceSweep", "RangeSweep",
                                           "IntervalSweep", "Glob", "ZipSweep"};
  return kNames[element.value.index()];
}

bool is_number(const Element& element) { return is<bool>(element) || is<int64_t>(element) || is<double>(element); }

std::variant<int64_t, double> number(const Element& element) {
  if (is<double>(element)) return std::get<double>(element.value);
  if (is<bool>(element)) return int64_t{std::get<bool>(element.value)};
  return std::get<int64_t>(element.value);
}

double as_double(const Element& element) {
  return std::visit([](auto n) { return static_cast<double>(n); }, number(element));
}

Arguments::Arguments(Call& call, std::vector<std::string> names, const std::vector<std::string>& keyword_only,
                     bool variadic) {
  if (variadic) {
    rest = std::move(call.positional);
  } else {
    if (call.positional.size() > names.size()) type_error("too many positional arguments");
    for (size_t k = 0; k < call.positional.size(); ++k) values_[names[k]] = std::move(call.positional[k]);
  }
  names.insert(names.end(), keyword_only.begin(), keyword_only.end());
  std::set<std::string> seen;
  for (auto& [name, value] : call.named) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      type_error(fmt::format("got an unexpected keyword argument '{}'", name));
    }
    if (values_.count(name) != 0 && seen.count(name) == 0) {
      type_error(fmt::format("multiple values for argument '{}'", name));
    }
    seen.insert(name);
    values_[name] = std::move(value);
  }
}

const Element* Arguments::find(const std::string& name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? nullptr : &found->second;
}

const Element& Arguments::at(const std::string& name) const {
  const Element* value = find(name);
  if (value == nullptr) type_error(fmt::format("missing a required argument: '{}'", name));
  return *value;
}

const Element* Arguments::number(const std::string& name, bool none_is_absent) const {
  const Element* value = find(name);
  if (value == nullptr || (none_is_absent && is<std::monostate>(*value))) return nullptr;
  if (!is_number(*value)) mismatch(name, *value, "Union[int, float]");
  return value;
}

bool Arguments::flag(const std::string& name) const {
  const Element* value = find(name);
  if (value == nullptr) return false;
  if (!is<bool>(*value)) mismatch(name, *value, "bool");
  return std::get<bool>(value->value);
}

void Arguments::mismatch(const std::string& name, const Element& value, std::string_view expected) {
  type_error(fmt::format("mismatch type argument {}: {} is incompatible with {}", name, type_name(value), expected));
}

}  // namespace roundtrip::hydra
