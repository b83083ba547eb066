// The arguments of a function call in an override, bound to parameters as Python binds them, and Python's exceptions
// for those that do not fit. Private to the folder.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "hydra/override/functions.h"

namespace roundtrip::hydra {

// A Python exception by its name; `evaluate` puts the text of the call between name and reason.
struct PythonError {
  std::string type, reason;
};

[[noreturn]] void type_error(std::string reason);
[[noreturn]] void value_error(std::string reason);

template <typename T>
bool is(const Element& element) {
  return std::holds_alternative<T>(element.value);
}

std::string type_name(const Element& element);  // Python's: "int", "ChoiceSweep"

// True for bools too, as in Python.
bool is_number(const Element& element);
std::variant<int64_t, double> number(const Element& element);
double as_double(const Element& element);

// Parameters after Python's binding of positional and named arguments.
class Arguments {
 public:
  // `names` take positional arguments in order; `keyword_only` are named; `variadic` gathers the positional ones.
  Arguments(Call& call, std::vector<std::string> names, const std::vector<std::string>& keyword_only = {},
            bool variadic = false);

  const Element* find(const std::string& name) const;
  const Element& at(const std::string& name) const;  // throws PythonError where it is missing
  const Element* number(const std::string& name, bool none_is_absent = false) const;
  bool flag(const std::string& name) const;
  [[noreturn]] static void mismatch(const std::string& name, const Element& value, std::string_view expected);

  std::vector<Element> rest;

 private:
  std::map<std::string, Element> values_;
};

}  // namespace roundtrip::hydra
