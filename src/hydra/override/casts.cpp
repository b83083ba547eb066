#include "hydra/override/casts.h"

#include <charconv>
#include <cmath>
#include <optional>

#include "base/error.h"
#include "base/text.h"
#include "hydra/override/function_arguments.h"

namespace roundtrip::hydra {
namespace {

std::string stripped(const std::string& text) { return std::string(trim(text)); }

// Python's int() and float() accept single underscores between digits.
std::optional<std::string> without_underscores(const std::string& text) {
  std::string out;
  for (size_t k = 0; k < text.size(); ++k) {
    if (text[k] != '_') {
      out += text[k];
      continue;
    }
    const auto digit = [&](size_t at) { return at < text.size() && text[at] >= '0' && text[at] <= '9'; };
    if (k == 0 || !digit(k - 1) || !digit(k + 1)) return std::nullopt;
  }
  return out;
}

Element int_of(const Element& value) {
  if (is<double>(value)) {
    const double x = std::get<double>(value.value);
    if (std::isnan(x)) value_error("cannot convert float NaN to integer");
    if (std::isinf(x)) throw PythonError{"OverflowError", "cannot convert float infinity to integer"};
    if (!(x > -9.3e18 && x < 9.3e18) || x >= 9223372036854775808.0 || x < -9223372036854775808.0) {
      value_error(fmt::format("integers are limited to 64 bits; found {}", python_repr(x)));
    }
    return {static_cast<int64_t>(x)};
  }
  if (is_number(value)) return {std::get<int64_t>(number(value))};
  const std::string& text = std::get<std::string>(value.value);
  const auto digits = without_underscores(stripped(text));
  int64_t n = 0;
  if (digits && !digits->empty()) {
    const char* first = digits->data() + ((*digits)[0] == '+' ? 1 : 0);
    const char* last = digits->data() + digits->size();
    const auto [end, failure] = std::from_chars(first, last, n);
    const bool second_sign = (*digits)[0] == '+' && first != last && *first == '-';
    if (failure == std::errc::result_out_of_range)
      value_error(fmt::format("integers are limited to 64 bits; found {}", text));
    if (failure == std::errc{} && end == last && !second_sign) return {n};
  }
  value_error(fmt::format("invalid literal for int() with base 10: '{}'", text));
}

Element float_of(const Element& value) {
  if (is_number(value)) return {as_double(value)};
  const std::string& text = std::get<std::string>(value.value);
  const auto digits = without_underscores(stripped(text));
  // strtod accepts hexadecimal and nan(...) too, which Python does not.
  const bool plain = digits && !digits->empty() && digits->find_first_of("xXpP(") == std::string::npos;
  if (plain) {
    char* end = nullptr;
    const double x = std::strtod(digits->c_str(), &end);
    if (end == digits->c_str() + digits->size()) return {x};
  }
  value_error(fmt::format("could not convert string to float: '{}'", text));
}

Element str_of(const Element& value) {
  if (is<bool>(value)) return {std::string(std::get<bool>(value.value) ? "true" : "false")};
  return {python_str(to_node(value))};
}

Element bool_of(const Element& value) {
  if (is_number(value)) return {as_double(value) != 0};
  const std::string& text = std::get<std::string>(value.value);
  std::string lower = text;
  for (char& c : lower) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  if (lower == "true") return {true};
  if (lower == "false") return {false};
  value_error(fmt::format("Cannot cast '{}' to bool", text));
}

Element cast_scalar(const Element& value, Cast to) {
  switch (to) {
    case Cast::kInt:
      return int_of(value);
    case Cast::kFloat:
      return float_of(value);
    case Cast::kStr:
      return str_of(value);
    default:
      return bool_of(value);
  }
}

Element cast(const Element& value, Cast to) {
  if (const auto* quoted = value.get_if<Quoted>()) return cast_scalar({quoted->text}, to);
  if (const auto* list = value.get_if<ElementList>()) {
    ElementList out;
    for (const Element& item : list->items) out.items.push_back(cast(item, to));
    return {out};
  }
  if (const auto* dict = value.get_if<ElementDict>()) {
    ElementDict out;
    for (const auto& [key, item] : dict->items) out.items.push_back({key, cast(item, to)});
    return {out};
  }
  if (const auto* choice = value.get_if<Choice>()) {
    Choice out{{}, choice->simple, false, {}};
    for (const Element& item : choice->values) {
      out.values.push_back(cast(item, to));
      if (out.values.back().is_sweep()) type_error("a sweep inside a choice cannot be cast");
    }
    return {out};
  }
  if (const auto* range = value.get_if<Range>()) {
    if (to != Cast::kInt && to != Cast::kFloat) value_error("Range can only be cast to int or float");
    const auto each = [&](const std::variant<int64_t, double>& n) {
      return number(cast_scalar(std::visit([](auto x) { return Element{x}; }, n), to));
    };
    return {Range{each(range->start), each(range->stop), each(range->step), false, {}}};
  }
  if (const auto* interval = value.get_if<Interval>()) {
    if (to == Cast::kStr || to == Cast::kBool) {
      value_error(fmt::format("Intervals cannot be cast to {}", to == Cast::kStr ? "str" : "bool"));
    }
    Interval out = *interval;
    if (to == Cast::kInt) {
      out.start = std::trunc(out.start);
      out.end = std::trunc(out.end);
    }
    return {out};
  }
  if (is<std::monostate>(value) && to == Cast::kBool) return {false};  // Python's bool(None)
  if (is<Glob>(value) && to == Cast::kBool) return {true};             // and of any object
  if (is<std::monostate>(value) || is<Glob>(value) || is<Zip>(value)) type_error(type_name(value) + " cannot be cast");
  return cast_scalar(value, to);
}

}  // namespace

Element call_cast(Call& call, Cast to) {
  Arguments arguments(call, {}, {"value"}, true);
  const Element* named = arguments.find("value");
  if (named != nullptr && is<std::monostate>(*named)) named = nullptr;
  if (named != nullptr && !arguments.rest.empty()) type_error("cannot use both position and named arguments");
  if (named != nullptr) return cast(*named, to);
  if (arguments.rest.empty()) type_error("No positional args or value specified");
  if (arguments.rest.size() == 1) return cast(arguments.rest[0], to);
  for (const Element& value : arguments.rest) {
    if (value.is_sweep()) type_error("expected values, found a sweep");
  }
  return cast({Choice{std::move(arguments.rest), true, false, {}}}, to);
}

}  // namespace roundtrip::hydra
