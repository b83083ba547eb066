#include "app/conformance.h"

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "hydra/compose/compose.h"
#include "hydra/interpolation/interpolation.h"
#include "hydra/launch/sweep.h"
#include "hydra/override/grammar.h"
#include "hydra/tree/yaml.h"

namespace roundtrip::app {
namespace {

using namespace hydra;  // nearly every name below is of that room

using Json = nlohmann::ordered_json;

Json tagged_number(const std::variant<int64_t, double>& number) {
  if (const auto* n = std::get_if<int64_t>(&number)) return {{"$int", std::to_string(*n)}};
  return {{"$float", python_repr(std::get<double>(number))}};
}

Json tagged(const Element& element);

Json tagged(const std::vector<Element>& elements) {
  Json out = Json::array();
  for (const Element& element : elements) out.push_back(tagged(element));
  return out;
}

Json tagged(const Element& element) {
  if (const auto* quoted = element.get_if<Quoted>()) {
    return {{"$q", quoted->text}, {"quote", quoted->quote == '\'' ? "single" : "double"}};
  }
  if (const auto* list = element.get_if<ElementList>()) return tagged(list->items);
  if (const auto* dict = element.get_if<ElementDict>()) {
    Json pairs = Json::array();
    for (const auto& [key, value] : dict->items) pairs.push_back(Json::array({tagged(key), tagged(value)}));
    return {{"$dict", pairs}};
  }
  if (const auto* choice = element.get_if<Choice>()) {
    return {{"$choice", tagged(choice->values)},
            {"simple", choice->simple},
            {"shuffle", choice->shuffle},
            {"tags", choice->tags}};
  }
  if (const auto* range = element.get_if<Range>()) {
    return {
        {"$range", Json::array({tagged_number(range->start), tagged_number(range->stop), tagged_number(range->step)})},
        {"shuffle", range->shuffle},
        {"tags", range->tags}};
  }
  if (const auto* interval = element.get_if<Interval>()) {
    return {{"$interval", Json::array({tagged_number(interval->start), tagged_number(interval->end)})},
            {"tags", interval->tags}};
  }
  if (const auto* glob = element.get_if<Glob>()) return {{"$glob", glob->include}, {"exclude", glob->exclude}};
  if (const auto* zip = element.get_if<Zip>()) {
    Json members = Json::array();
    for (const auto& [key, values] : zip->members) members.push_back(Json::array({key, tagged(values)}));
    return {{"$zip", members}};
  }
  return app::tagged(to_node(element));
}

const char* value_type(const Override& item) {
  if (const auto* choice = item.value->get_if<Choice>()) return choice->simple ? "SIMPLE_CHOICE_SWEEP" : "CHOICE_SWEEP";
  if (item.value->get_if<Glob>() != nullptr) return "GLOB_CHOICE_SWEEP";
  if (item.value->get_if<Range>() != nullptr) return "RANGE_SWEEP";
  if (item.value->get_if<Interval>() != nullptr) return "INTERVAL_SWEEP";
  if (item.value->get_if<Zip>() != nullptr) return "ZIP_SWEEP";
  return "ELEMENT";
}

bool has_texts(const Element& value) {
  const auto* choice = value.get_if<Choice>();
  const auto* range = value.get_if<Range>();
  return (choice != nullptr && !choice->shuffle) || (range != nullptr && !range->shuffle);
}

std::vector<std::string> texts_of(const Element& value) {
  if (const auto* range = value.get_if<Range>()) return range_texts(*range);
  if (holds_sweep(value, false)) throw Error(ErrorKind::kType, "a sweep inside a choice has no text");
  std::vector<std::string> texts;
  for (const Element& item : std::get<Choice>(value.value).values) texts.push_back(part_text(item));
  return texts;
}

// Python's exception for a sweep without texts: a sweep inside a choice, or a range that does not end or begin.
const char* sweep_error(const Element& value) {
  const auto* range = value.get_if<Range>();
  if (range == nullptr) return "ValidationError";
  const auto* step = std::get_if<int64_t>(&range->step);
  if (step != nullptr && *step == 0 && range->start.index() == 0 && range->stop.index() == 0) return "ValueError";
  const auto is_nan = [](const std::variant<int64_t, double>& n) {
    const auto* x = std::get_if<double>(&n);
    return x != nullptr && *x != *x;
  };
  return is_nan(range->start) || is_nan(range->stop) || is_nan(range->step) ? "InvalidOperation" : "HydraException";
}

Json answer_override(const Override& item) {
  static constexpr const char* kTypes[] = {"CHANGE", "ADD", "FORCE_ADD", "DEL"};
  Json ok;
  ok["type"] = kTypes[static_cast<int>(item.type)];
  ok["key"] = item.key;
  ok["package"] = item.package ? Json(*item.package) : Json(nullptr);
  ok["value_type"] = item.value ? Json(value_type(item)) : Json(nullptr);
  ok["value"] = item.value ? tagged(*item.value) : Json(nullptr);
  if (!item.value || !item.is_sweep()) {
    if (item.value && holds_sweep(*item.value, false)) {
      throw Error(ErrorKind::kType, fmt::format("a sweep inside a list or a dict has no text: {}", item.text()));
    }
    ok["as_str"] = item.value ? to_text(*item.value) : "null";
  } else if (has_texts(*item.value)) {
    try {
      ok["sweep"] = texts_of(*item.value);
    } catch (const Error&) {
      ok["sweep_error"] = sweep_error(*item.value);
    }
  }
  return ok;
}

Json answer_parse(const std::string& rule, const std::string& text) {
  const bool of_keys = rule == "override" || rule == "key" || rule == "package" || rule == "packageOrGroup";
  OverrideGrammar grammar(text, of_keys ? OverrideLexer::Mode::kKey : OverrideLexer::Mode::kValue);
  if (rule == "override") return answer_override(grammar.override());
  if (rule == "package") return grammar.package();
  if (rule == "packageOrGroup") return grammar.package_or_group();
  if (rule == "key") {
    const auto parts = grammar.key();
    return {{"key", parts.key}, {"package", parts.package ? Json(*parts.package) : Json(nullptr)}};
  }
  if (rule == "value") return tagged(grammar.value());
  if (rule == "element") return tagged(grammar.element());
  if (rule == "primitive") return tagged(grammar.primitive());
  if (rule == "dictContainer") return tagged(grammar.dict());
  if (rule == "listContainer") return tagged(grammar.list());
  if (rule == "function") return tagged(grammar.function());
  if (rule == "simpleChoiceSweep") return tagged(grammar.simple_choice());
  throw Error(ErrorKind::kParse, fmt::format("unknown rule '{}'", rule));
}

Json answer_compose(const std::filesystem::path& folder, const std::string& name,
                    const std::vector<std::string>& texts) {
  SearchPath path;
  path.add_folder("main", folder);
  const Composition composition = Composer(path, name).compose(parse_overrides(texts));
  Json rows = Json::array();
  for (const DefaultsRow& row : composition.defaults) {
    rows.push_back(Json::array({row.path, row.package, row.is_self, row.parent}));
  }
  Json choices = Json::object();
  for (const auto& [key, option] : composition.choices) choices[key] = to_json(option);
  return {{"defaults", rows}, {"job", to_yaml(composition.job)}, {"choices", choices}};
}

Node from_json(const Json& json) {
  switch (json.type()) {
    case Json::value_t::boolean:
      return Node(json.get<bool>());
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned:
      return Node(json.get<int64_t>());
    case Json::value_t::number_float:
      return Node(json.get<double>());
    case Json::value_t::string:
      return Node(json.get<std::string>());
    case Json::value_t::array: {
      Node::List items;
      for (const Json& item : json) items.push_back(from_json(item));
      return Node(std::move(items));
    }
    case Json::value_t::object: {
      Dict dict;
      for (const auto& [key, value] : json.items()) dict.set(key, from_json(value));
      return Node(std::move(dict));
    }
    default:
      return Node();
  }
}

const char* error_class(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kCompose:
      return "compose";
    case ErrorKind::kMissing:
      return "missing";
    case ErrorKind::kInterpolation:
      return "interpolation";
    case ErrorKind::kType:
      return "type";
    default:
      return "parse";
  }
}

// String at index `k` of a case's input.
std::string text_at(const Json& input, size_t k) {
  if (!input.is_array() || k >= input.size() || !input[k].is_string()) {
    throw Error(ErrorKind::kParse, fmt::format("input {}: expected a string", k));
  }
  return input[k].get<std::string>();
}

std::string text_of(const Json& input) {
  if (!input.is_string()) throw Error(ErrorKind::kParse, "input: expected a string");
  return input.get<std::string>();
}

}  // namespace

nlohmann::ordered_json tagged(const Node& node) {
  switch (node.kind()) {
    case Node::Kind::kInt:
      return {{"$int", std::to_string(node.as_int())}};
    case Node::Kind::kFloat:
      return {{"$float", python_repr(node.as_float())}};
    case Node::Kind::kList: {
      Json out = Json::array();
      for (const Node& item : node.list()) out.push_back(tagged(item));
      return out;
    }
    case Node::Kind::kDict: {
      Json pairs = Json::array();
      for (const auto& entry : node.dict())
        pairs.push_back(Json::array({tagged(entry.key().node()), tagged(entry.value)}));
      return {{"$dict", pairs}};
    }
    default:
      return to_json(node);
  }
}

Json Conformance::answer(const Json& one) {
  const std::string kind = one.is_object() && one.contains("kind") && one["kind"].is_string() ? one["kind"] : "";
  const Json input = one.is_object() && one.contains("input") ? one["input"] : Json(nullptr);
  Json answer{{"kind", kind}, {"input", input}};
  if (kind == "base") {
    base_ = from_json(input);
    return answer;
  }
  try {
    if (kind == "parse") {
      answer["ok"] = answer_parse(text_at(input, 0), text_at(input, 1));
    } else if (kind == "compose") {
      std::vector<std::string> texts;
      const Json overrides = input.is_array() && input.size() > 2 ? input[2] : Json(nullptr);
      for (size_t k = 0; k < (overrides.is_array() ? overrides.size() : 0); ++k) texts.push_back(text_at(overrides, k));
      answer["ok"] = answer_compose(root_ / text_at(input, 0), text_at(input, 1), texts);
    } else if (kind == "interp_text") {
      Node root = base_;
      root.set("K", Node(text_of(input)));
      if (root.find("K")->is_missing()) throw Error(ErrorKind::kMissing, "Missing mandatory value: K");
      answer["ok"] = tagged(resolve_text(root, text_of(input), "K"));
    } else if (kind == "interp_element") {
      answer["ok"] = tagged(resolve_element(base_, text_of(input)));
    } else if (kind == "yaml") {
      const Node document = parse_yaml("k: " + text_of(input), "case");
      const Node* value = document.find("k");
      if (value == nullptr) throw Error(ErrorKind::kParse, "the document has no key k");
      answer["ok"] = tagged(*value);
    } else {
      throw Error(ErrorKind::kParse, fmt::format("unknown kind '{}'", kind));
    }
  } catch (const Error& error) {
    answer["error"] = error_class(error.kind());
    answer["msg"] = error.message().substr(0, error.message().find('\n'));
  }
  return answer;
}

void run_conformance(std::istream& cases, std::ostream& answers, const std::filesystem::path& root) {
  Conformance conformance(root);
  std::string line;
  for (int number = 1; std::getline(cases, line); ++number) {
    if (trim(line).empty()) continue;
    const Json one = Json::parse(line, nullptr, false);
    if (one.is_discarded()) throw input_error(fmt::format("cases, line {}", number), "not JSON", "one case a line");
    // Replaces strings that are not UTF-8 (a message that repeats a bad byte) instead of failing.
    answers << conformance.answer(one).dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
  }
}

}  // namespace roundtrip::app
