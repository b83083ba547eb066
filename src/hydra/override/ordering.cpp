#include "hydra/override/ordering.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "base/error.h"
#include "base/text.h"
#include "hydra/override/function_arguments.h"

namespace roundtrip::hydra {
namespace {

// Python's < between comparable types; throws for others.
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
  // Compare every pair of neighbours first, so that a list without an order fails whichever pairs the sort compares.
  for (size_t k = 1; k < values.size(); ++k) less_than(values[k], values[k - 1]);
  const auto has_nan = [](const Element& value) {
    return is<double>(value) && std::isnan(std::get<double>(value.value));
  };
  if (std::any_of(values.begin(), values.end(), has_nan)) value_error("nan has no order");
  std::stable_sort(values.begin(), values.end(),
                   [&](const Element& a, const Element& b) { return reverse ? less_than(b, a) : less_than(a, b); });
  return values;
}

// Reverses a range so that it runs over the same values (D3: whether or not it ends on `stop`).
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

Element shuffled_list(const Element& list) {
  ElementList out = std::get<ElementList>(list.value);
  // A list is shuffled when it is parsed, before any config gives a seed: the order is always the same (D9).
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

}  // namespace

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

}  // namespace roundtrip::hydra
