#include "hydra/interpolation/interpolation.h"

#include "base/error.h"
#include "base/text.h"
#include "hydra/interpolation/evaluator.h"

namespace roundtrip::hydra {

Node resolve(const Node& root, const ResolveContext& context) {
  if (!root.needs_resolving()) return root;
  return Evaluator(root, context).resolved(root, {});
}

Node resolve_text(const Node& root, std::string_view text, std::string_view at, const ResolveContext& context) {
  Evaluator evaluator(root, context);
  const Path path = at.empty() ? Path{""} : split_path(at);
  return evaluator.resolved(evaluator.text(text, path));
}

Node resolve_element(const Node& root, std::string_view text, const ResolveContext& context) {
  return Evaluator(root, context).element(text, {""});
}

std::optional<Node> referenced_container(const Node& root, std::string_view text, std::string_view at) {
  try {
    const ResolveContext context;
    Evaluator evaluator(root, context);
    const Located value = evaluator.text(text, split_path(at));
    if (value.node.is_container()) return value.node;
  } catch (const Error&) {
    // A reference that does not resolve yet is not a container to merge into; resolving it later reports the error.
  }
  return std::nullopt;
}

namespace {

void check_syntax_below(const Node& node, Evaluator& evaluator) {
  if (!node.needs_resolving()) return;
  if (node.is_dict()) {
    for (const auto& entry : node.dict()) check_syntax_below(entry.value, evaluator);
  } else if (node.is_list()) {
    for (const Node& item : node.list()) check_syntax_below(item, evaluator);
  } else {
    try {
      evaluator.check_syntax(node.as_string());
    } catch (const Error& error) {
      throw Error(error.kind(), error.message(), fmt::format("  {}: {}", node.mark().text(), show(node)));
    }
  }
}

}  // namespace

void check_syntax(const Node& tree) {
  const Node root;
  const ResolveContext context;
  Evaluator evaluator(root, context);
  check_syntax_below(tree, evaluator);
}

namespace {

void add_missing(const Node& node, const std::string& path, std::vector<std::string>& keys) {
  if (node.is_missing()) keys.push_back(path);
  if (node.is_dict()) {
    for (const auto& entry : node.dict()) add_missing(entry.value, join_path(path, entry.key().text), keys);
  } else if (node.is_list()) {
    for (size_t k = 0; k < node.list().size(); ++k)
      add_missing(node.list()[k], join_path(path, std::to_string(k)), keys);
  }
}

}  // namespace

std::vector<std::string> missing_keys(const Node& root) {
  std::vector<std::string> keys;
  add_missing(root, "", keys);
  return keys;
}

void check_missing(const Node& root) {
  if (!root.has_missing()) return;
  const std::vector<std::string> missing = missing_keys(root);
  std::string paste;
  for (const std::string& key : missing) paste += fmt::format(" {}=...", key);
  throw Error(ErrorKind::kMissing, fmt::format("Missing mandatory value: {}", join(missing, ", ")),
              fmt::format("Add to the command line:{}", paste));
}

}  // namespace roundtrip::hydra
