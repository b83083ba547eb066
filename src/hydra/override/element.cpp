#include "hydra/override/element.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"

namespace roundtrip::hydra {
namespace {

template <typename... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <typename... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

// Escapes every character that would end or split an unquoted value.
std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view("\\()[]{}:=, \t").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

// Inside quotes, only a quote and the backslashes right before it need a backslash.
std::string quoted(const Quoted& value) {
  std::string out(1, value.quote);
  size_t backslashes = 0;
  const auto double_backslashes = [&] { out.append(backslashes, '\\'); };
  for (const char c : value.text) {
    if (c == value.quote) {
      double_backslashes();
      out += '\\';
    }
    backslashes = c == '\\' ? backslashes + 1 : 0;
    out += c;
  }
  double_backslashes();
  return out + value.quote;
}

std::string joined(const std::vector<Element>& elements) {
  std::vector<std::string> parts;
  for (const Element& element : elements) parts.push_back(part_text(element));
  return join(parts, ",");
}

std::string number_text(const std::variant<int64_t, double>& number) {
  return std::visit(Overloaded{[](int64_t n) { return std::to_string(n); }, [](double x) { return python_repr(x); }},
                    number);
}

std::string list_of(const std::vector<std::string>& words) {
  std::vector<std::string> parts;
  for (const std::string& word : words) parts.push_back(escaped(word));
  return parts.size() == 1 ? parts[0] : "[" + join(parts, ",") + "]";
}

std::string wrapped(std::string text, bool shuffle, const std::vector<std::string>& tags) {
  if (!tags.empty()) text = fmt::format("tag({},{})", join(tags, ","), text);
  return shuffle ? "shuffle(" + text + ")" : text;
}

Key key_of(const Element& key, const Mark& mark) {
  const Node node = to_node(key, mark);
  if (node.is_null()) throw Error(ErrorKind::kType, "null cannot be a key; quote it if it is text");
  return Key(python_str(node), node.kind(), mark);
}

}  // namespace

std::string part_text(const Element& element) {
  const auto* glob = element.get_if<Glob>();
  if (glob == nullptr) return to_text(element);
  const auto bracketed = [](const std::vector<std::string>& patterns) {
    std::vector<std::string> parts;
    for (const std::string& pattern : patterns) parts.push_back(escaped(pattern));
    return "[" + join(parts, ",") + "]";
  };
  return fmt::format("{{include:{},exclude:{}}}", bracketed(glob->include), bracketed(glob->exclude));
}

bool holds_sweep(const Element& element, bool globs_too) {
  const auto is_or_holds = [&](const Element& part) {
    const bool counts = part.is_sweep() && (globs_too || part.get_if<Glob>() == nullptr);
    return counts || holds_sweep(part, globs_too);
  };
  if (const auto* list = element.get_if<ElementList>()) {
    return std::any_of(list->items.begin(), list->items.end(), is_or_holds);
  }
  if (const auto* dict = element.get_if<ElementDict>()) {
    return std::any_of(dict->items.begin(), dict->items.end(),
                       [&](const auto& item) { return is_or_holds(item.value); });
  }
  const auto* choice = element.get_if<Choice>();
  return choice != nullptr && std::any_of(choice->values.begin(), choice->values.end(), is_or_holds);
}

Node to_node(const Element& element, const Mark& mark) {
  return std::visit(
      Overloaded{[&](std::monostate) { return Node::null(mark); },
                 [&](const Quoted& value) { return Node(value.text, mark); },
                 [&](const ElementList& value) {
                   Node::List items;
                   for (const Element& item : value.items) items.push_back(to_node(item, mark));
                   return Node(std::move(items), mark);
                 },
                 [&](const ElementDict& value) {
                   Dict dict;
                   for (const auto& [key, item] : value.items) dict.set(key_of(key, mark), to_node(item, mark));
                   return Node(std::move(dict), mark);
                 },
                 [&](const auto& value) -> Node {
                   if constexpr (std::is_constructible_v<Node, decltype(value), Mark>) {
                     return Node(value, mark);
                   } else {
                     throw Error(ErrorKind::kParse,
                                 fmt::format("a sweep inside a list or a dict is not supported: {}", to_text(element)));
                   }
                 }},
      element.value);
}

std::string to_text(const Element& element) {
  return std::visit(
      Overloaded{[](std::monostate) -> std::string { return "null"; },
                 [](bool value) -> std::string { return value ? "True" : "False"; },
                 [](int64_t value) { return std::to_string(value); }, [](double value) { return python_repr(value); },
                 [](const std::string& value) { return escaped(value); },
                 [](const Quoted& value) { return quoted(value); },
                 [](const ElementList& value) { return "[" + joined(value.items) + "]"; },
                 [](const ElementDict& value) {
                   std::vector<std::string> parts;
                   for (const auto& [key, item] : value.items) parts.push_back(to_text(key) + ":" + part_text(item));
                   return "{" + join(parts, ",") + "}";
                 },
                 [](const Choice& value) {
                   const std::string values = joined(value.values);
                   const bool bare = value.simple && value.tags.empty() && !value.shuffle;
                   return bare ? values : wrapped("choice(" + values + ")", value.shuffle, value.tags);
                 },
                 [](const Range& value) {
                   return wrapped(fmt::format("range({},{},{})", number_text(value.start), number_text(value.stop),
                                              number_text(value.step)),
                                  value.shuffle, value.tags);
                 },
                 [](const Interval& value) {
                   return wrapped(fmt::format("interval({},{})", python_repr(value.start), python_repr(value.end)),
                                  false, value.tags);
                 },
                 [](const Glob& value) {
                   return value.exclude.empty()
                              ? "glob(" + list_of(value.include) + ")"
                              : fmt::format("glob({},exclude={})", list_of(value.include), list_of(value.exclude));
                 },
                 [](const Zip& value) {
                   std::vector<std::string> parts;
                   for (const auto& [key, values] : value.members) parts.push_back(key + "=[" + joined(values) + "]");
                   return "zip(" + join(parts, ",") + ")";
                 }},
      element.value);
}

}  // namespace roundtrip::hydra
