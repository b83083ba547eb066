#include "hydra/override/functions.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <set>

#include "base/error.h"
#include "base/text.h"

namespace roundtrip::hydra {
namespace {

// A Python exception by its name; `evaluate` puts the call's text between name and reason.
struct PythonError {
  std::string type, reason;
};

[[noreturn]] void type_error(std::string reason) { throw PythonError{"TypeError", std::move(reason)}; }
[[noreturn]] void value_error(std::string reason) { throw PythonError{"ValueError", std::move(reason)}; }

template <typename T>
bool is(const Element& element) {
  return std::holds_alternative<T>(element.value);
}

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

// Parameters after Python's binding of positional and named arguments.
class Arguments {
 public:
  // `names` take positional arguments in order; `keyword_only` are named; `variadic` gathers the positional ones.
  Arguments(Call& call, std::vector<std::string> names, const std::vector<std::string>& keyword_only = {},
            bool variadic = false) {
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

  const Element* find(const std::string& name) const {
    const auto found = values_.find(name);
    return found == values_.end() ? nullptr : &found->second;
  }
  const Element& at(const std::string& name) const {
    const Element* value = find(name);
    if (value == nullptr) type_error(fmt::format("missing a required argument: '{}'", name));
    return *value;
  }
  const Element* number(const std::string& name, bool none_is_absent = false) const {
    const Element* value = find(name);
    if (value == nullptr || (none_is_absent && is<std::monostate>(*value))) return nullptr;
    if (!is_number(*value)) mismatch(name, *value, "Union[int, float]");
    return value;
  }
  bool flag(const std::string& name) const {
    const Element* value = find(name);
    if (value == nullptr) return false;
    if (!is<bool>(*value)) mismatch(name, *value, "bool");
    return std::get<bool>(value->value);
  }
  [[noreturn]] static void mismatch(const std::string& name, const Element& value, std::string_view expected) {
    type_error(fmt::format("mismatch type argument {}: {} is incompatible with {}", name, type_name(value), expected));
  }

  std::vector<Element> rest;

 private:
  std::map<std::string, Element> values_;
};

// --- casts

std::string stripped(const std::string& text) { return std::string(trim(text)); }

// Python's int() and float() take single underscores between digits.
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
  // strtod takes hexadecimal and nan(...) too, which Python does not.
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

enum class Cast { kInt, kFloat, kStr, kBool };

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

// --- sweeps

Element call_choice(Call& call) {
  Arguments arguments(call, {}, {}, true);
  auto& values = arguments.rest;
  if (values.empty()) value_error("empty choice is not legal");
  for (size_t k = 0; k < values.size(); ++k) {
    if (is<std::monostate>(values[k]) || (values[k].is_sweep() && !is<Choice>(values[k]))) {
      Arguments::mismatch(fmt::format("args[{}]", k), values[k],
                          "Union[str, int, float, bool, Dict[Any, Any], List[Any], ChoiceSweep]");
    }
  }
  if (values.size() == 1 && is<Choice>(values[0])) {
    Choice inner = std::get<Choice>(values[0].value);
    if (!inner.simple) value_error("nesting choices is not supported");
    inner.simple = false;
    return {inner};
  }
  return {Choice{std::move(values), false, false, {}}};
}

Element call_range(Call& call) {
  Arguments arguments(call, {"start", "stop", "step"});
  arguments.at("start");
  const Element* start = arguments.number("start");
  const Element* stop = arguments.number("stop", true);
  const Element* step = arguments.number("step");
  const auto one = step == nullptr ? std::variant<int64_t, double>(int64_t{1}) : number(*step);
  if (stop == nullptr) return {Range{int64_t{0}, number(*start), one, false, {}}};
  return {Range{number(*start), number(*stop), one, false, {}}};
}

Element call_interval(Call& call) {
  Arguments arguments(call, {"start", "end"});
  arguments.at("start");
  arguments.at("end");
  return {Interval{as_double(*arguments.number("start")), as_double(*arguments.number("end")), {}}};
}

std::vector<std::string> words(const std::string& name, const Element& value) {
  if (const auto* text = value.get_if<std::string>()) return {*text};
  if (const auto* list = value.get_if<ElementList>()) {
    std::vector<std::string> out;
    for (const Element& item : list->items) out.push_back(python_str(to_node(item)));
    return out;
  }
  Arguments::mismatch(name, value, "Union[List[str], str]");
}

Element call_glob(Call& call) {
  Arguments arguments(call, {"include", "exclude"});
  Glob glob;
  glob.include = words("include", arguments.at("include"));
  const Element* exclude = arguments.find("exclude");
  if (exclude != nullptr && !is<std::monostate>(*exclude)) glob.exclude = words("exclude", *exclude);
  return {glob};
}

// Python's < between values of one sort of type; anything else has no order.
bool less_than(const Element& a, const Element& b) {
  if (is_number(a) && is_number(b)) {
    const auto x = number(a), y = number(b);
    if (x.index() == 0 && y.index() == 0) return std::get<0>(x) < std::get<0>(y);
    return as_double(a) < as_double(b);
  }
  if (is<std::string>(a) && is<std::string>(b)) return std::get<std::string>(a.value) < std::get<std::string>(b.value);
  if (is<ElementList>(a) && is<ElementList>(b)) {
    const auto &x = std::get<ElementList>(a.value).items, &y = std::get<ElementList>(b.value).items;
    for (size_t k = 0; k < std::min(x.size(), y.size()); ++k) {
      if (!python_equal(x[k], y[k])) return less_than(x[k], y[k]);
    }
    return x.size() < y.size();
  }
  type_error(fmt::format("'<' not supported between instances of '{}' and '{}'", type_name(b), type_name(a)));
}

std::vector<Element> sorted(std::vector<Element> values, bool reverse) {
  // Asked for every pair of neighbours first, so that an unorderable list fails whatever the sort looks at.
  for (size_t k = 1; k < values.size(); ++k) less_than(values[k], values[k - 1]);
  const auto has_nan = [](const Element& value) {
    return is<double>(value) && std::isnan(std::get<double>(value.value));
  };
  if (std::any_of(values.begin(), values.end(), has_nan)) value_error("nan has no order");
  std::stable_sort(values.begin(), values.end(),
                   [&](const Element& a, const Element& b) { return reverse ? less_than(b, a) : less_than(a, b); });
  return values;
}

// Turns a range around so that it runs the other way over the same values (D3: whether or not it lands on `stop`).
Range turned(const Range& range) {
  const auto as_number = [](const std::variant<int64_t, double>& n) {
    return std::visit([](auto x) { return static_cast<double>(x); }, n);
  };
  Range out = range;
  if (range.start.index() == 0 && range.stop.index() == 0 && range.step.index() == 0) {
    const __int128 start = std::get<0>(range.start), stop = std::get<0>(range.stop), step = std::get<0>(range.step);
    if (step == 0 || start == stop || (step > 0) != (stop > start)) return out;
    const __int128 span = step > 0 ? stop - start - 1 : start - stop - 1, stride = step > 0 ? step : -step;
    const __int128 last = start + step * (span / stride);
    out.start = static_cast<int64_t>(last);
    out.stop = static_cast<int64_t>(start - step);
    out.step = static_cast<int64_t>(-step);
    return out;
  }
  const double start = as_number(range.start), stop = as_number(range.stop), step = as_number(range.step);
  if (step == 0 || !((step > 0) == (stop > start))) return out;
  const double count = std::ceil((stop - start) / step - 1e-9);
  out.start = start + step * (count - 1);
  out.stop = start - step;
  out.step = -step;
  return out;
}

Element sorted_sweep(const Element& sweep, bool reverse) {
  if (const auto* choice = sweep.get_if<Choice>()) {
    Choice out = *choice;
    out.values = sorted(out.values, reverse);
    return {out};
  }
  const Range& range = std::get<Range>(sweep.value);
  const auto as_number = [](const std::variant<int64_t, double>& n) {
    return std::visit([](auto x) { return static_cast<double>(x); }, n);
  };
  const bool descends = as_number(range.start) > as_number(range.stop);
  return {descends != reverse ? turned(range) : range};
}

const Element* sweep_argument(const Arguments& arguments) {
  const Element* sweep = arguments.find("sweep");
  if (sweep == nullptr || is<std::monostate>(*sweep)) return nullptr;
  if (!is<Choice>(*sweep) && !is<Range>(*sweep)) {
    Arguments::mismatch("sweep", *sweep, "Optional[Union[ChoiceSweep, RangeSweep]]");
  }
  return sweep;
}

const Element* list_argument(const Arguments& arguments) {
  const Element* list = arguments.find("list");
  if (list == nullptr || is<std::monostate>(*list)) return nullptr;
  if (!is<ElementList>(*list)) Arguments::mismatch("list", *list, "Optional[List[Any]]");
  return list;
}

void check_sortable(const std::vector<Element>& values) {
  for (size_t k = 0; k < values.size(); ++k) {
    if (is<std::monostate>(values[k]) || (values[k].is_sweep() && !is<Choice>(values[k]) && !is<Range>(values[k]))) {
      Arguments::mismatch(fmt::format("args[{}]", k), values[k],
                          "Union[str, int, bool, float, list, dict, ChoiceSweep, RangeSweep]");
    }
  }
}

Element call_sort(Call& call) {
  Arguments arguments(call, {}, {"sweep", "list", "reverse"}, true);
  const bool reverse = arguments.flag("reverse");
  const auto& values = arguments.rest;
  check_sortable(values);
  const Element *sweep = sweep_argument(arguments), *list = list_argument(arguments);
  if (list != nullptr) return {ElementList{sorted(std::get<ElementList>(list->value).items, reverse)}};
  if (sweep != nullptr) return sorted_sweep(*sweep, reverse);
  if (values.empty()) value_error("empty sort input");
  if (values.size() == 1) {
    if (is<Choice>(values[0]) || is<Range>(values[0])) return sorted_sweep(values[0], reverse);
    if (const auto* items = values[0].get_if<ElementList>()) return {ElementList{sorted(items->items, reverse)}};
    return values[0];
  }
  for (const Element& value : values) {
    if (!is_number(value) && !is<std::string>(value)) type_error("Invalid arguments: expected numbers or strings");
  }
  return {Choice{sorted(values, reverse), true, false, {}}};
}

Element shuffled_list(const Element& list) {
  ElementList out = std::get<ElementList>(list.value);
  // A list has its order when it is parsed, before any config says a seed; the same each time (D9).
  std::mt19937_64 generator(0);
  for (size_t k = out.items.size(); k > 1; --k) std::swap(out.items[k - 1], out.items[generator() % k]);
  return {out};
}

Element shuffled_sweep(const Element& sweep) {
  Element out = sweep;
  if (auto* choice = std::get_if<Choice>(&out.value)) choice->shuffle = true;
  if (auto* range = std::get_if<Range>(&out.value)) range->shuffle = true;
  return out;
}

Element call_shuffle(Call& call) {
  Arguments arguments(call, {}, {"sweep", "list"}, true);
  const auto& values = arguments.rest;
  check_sortable(values);
  const Element *sweep = sweep_argument(arguments), *list = list_argument(arguments);
  if (list != nullptr) return shuffled_list(*list);
  if (sweep != nullptr) return shuffled_sweep(*sweep);
  if (values.size() == 1) {
    if (values[0].is_sweep()) return shuffled_sweep(values[0]);
    return is<ElementList>(values[0]) ? shuffled_list(values[0]) : Element{ElementList{{values[0]}}};
  }
  for (const Element& value : values) {
    if (value.is_sweep()) type_error("expected values, found a sweep");
  }
  return {Choice{values, true, true, {}}};
}

Element call_tag(Call& call) {
  Arguments arguments(call, {}, {"sweep"}, true);
  auto& values = arguments.rest;
  if (values.empty()) value_error("Not enough arguments to tag, must take at least a sweep");
  const auto taggable = [](const Element& value) {
    return is<Choice>(value) || is<Range>(value) || is<Interval>(value);
  };
  for (size_t k = 0; k < values.size(); ++k) {
    if (!is<std::string>(values[k]) && !taggable(values[k])) {
      Arguments::mismatch(fmt::format("args[{}]", k), values[k], "Union[str, Sweep]");
    }
  }
  if (const Element* sweep = arguments.find("sweep"); sweep != nullptr && !is<std::monostate>(*sweep)) {
    if (!taggable(*sweep)) Arguments::mismatch("sweep", *sweep, "Optional[Sweep]");
    values.push_back(*sweep);
  }
  Element last = values.back();
  values.pop_back();
  if (!taggable(last)) {
    value_error(
        fmt::format("Last argument to tag() must be a choice(), range() or interval(), got {}", type_name(last)));
  }
  std::set<std::string> tags;
  for (const Element& tag : values) {
    if (!is<std::string>(tag)) value_error(fmt::format("tag arguments type must be string, got {}", type_name(tag)));
    tags.insert(std::get<std::string>(tag.value));
  }
  std::vector<std::string> list(tags.begin(), tags.end());
  if (auto* choice = std::get_if<Choice>(&last.value)) choice->tags = list;
  if (auto* range = std::get_if<Range>(&last.value)) range->tags = list;
  if (auto* interval = std::get_if<Interval>(&last.value)) interval->tags = list;
  return last;
}

Element call_zip(Call& call) {
  if (!call.positional.empty()) type_error("zip takes named lists: zip(a=[1,2],b=[x,y])");
  if (call.named.size() < 2) value_error("zip needs at least two members");
  Zip zip;
  std::set<std::string> seen;
  for (auto& [key, value] : call.named) {
    auto* list = std::get_if<ElementList>(&value.value);
    if (list == nullptr) Arguments::mismatch(key, value, "List[Any]");
    if (!seen.insert(key).second) value_error(fmt::format("zip names '{}' twice", key));
    if (!zip.members.empty() && list->items.size() != zip.members[0].second.size()) {
      value_error(fmt::format("zip members differ in length: '{}' has {} and '{}' has {}", zip.members[0].first,
                              zip.members[0].second.size(), key, list->items.size()));
    }
    zip.members.emplace_back(key, std::move(list->items));
  }
  return {zip};
}

using Function = std::function<Element(Call&)>;
const std::map<std::string, Function>& functions() {
  static const std::map<std::string, Function> kFunctions = {
      {"bool", [](Call& c) { return call_cast(c, Cast::kBool); }},
      {"choice", call_choice},
      {"float", [](Call& c) { return call_cast(c, Cast::kFloat); }},
      {"glob", call_glob},
      {"int", [](Call& c) { return call_cast(c, Cast::kInt); }},
      {"interval", call_interval},
      {"range", call_range},
      {"shuffle", call_shuffle},
      {"sort", call_sort},
      {"str", [](Call& c) { return call_cast(c, Cast::kStr); }},
      {"tag", call_tag},
      {"zip", call_zip},
  };
  return kFunctions;
}

}  // namespace

bool python_equal(const Element& a, const Element& b) {
  if (is_number(a) && is_number(b)) {
    const auto x = number(a), y = number(b);
    if (x.index() == 0 && y.index() == 0) return std::get<0>(x) == std::get<0>(y);
    return as_double(a) == as_double(b);
  }
  if (a.value.index() != b.value.index()) return false;
  if (is<std::monostate>(a)) return true;
  if (is<std::string>(a)) return std::get<std::string>(a.value) == std::get<std::string>(b.value);
  if (is<Quoted>(a)) return std::get<Quoted>(a.value).text == std::get<Quoted>(b.value).text;
  if (is<ElementList>(a)) {
    const auto &x = std::get<ElementList>(a.value).items, &y = std::get<ElementList>(b.value).items;
    return std::equal(x.begin(), x.end(), y.begin(), y.end(), python_equal);
  }
  return false;
}

Element evaluate(Call call) {
  const auto found = functions().find(call.name);
  if (found == functions().end()) {
    std::vector<std::string> names;
    for (const auto& [name, function] : functions()) names.push_back(name);
    throw Error(ErrorKind::kParse,
                fmt::format("HydraException while evaluating '{}': Unknown function '{}'", call.text, call.name),
                fmt::format("Available: {}{}", join(names, ","), did_you_mean(call.name, names)));
  }
  // Functions see quoted arguments as plain strings.
  const auto unquote = [](Element& value) {
    if (const auto* quoted = value.get_if<Quoted>()) value = {std::string(quoted->text)};
  };
  for (Element& value : call.positional) unquote(value);
  for (auto& [name, value] : call.named) unquote(value);
  const std::string text = call.text;
  try {
    return found->second(call);
  } catch (const PythonError& error) {
    throw Error(ErrorKind::kParse, fmt::format("{} while evaluating '{}': {}", error.type, text, error.reason));
  }
}

}  // namespace roundtrip::hydra
