#include "hydra/override/functions.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "hydra/override/casts.h"
#include "hydra/override/function_arguments.h"
#include "hydra/override/ordering.h"

namespace roundtrip::hydra {
namespace {

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
