#include "hydra/interpolation/evaluator.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "hydra/interpolation/limits.h"
#include "hydra/interpolation/text_reader.h"

namespace roundtrip::hydra {

std::string path_text(const Path& path) { return join(path, "."); }

void Evaluator::check_syntax(std::string_view text) {
  const Path nowhere;
  TextReader(*this, text, nowhere, true).text(0);
}

Located Evaluator::text(std::string_view text, const Path& path) {
  check_syntax(text);
  return TextReader(*this, text, path, false).text(0);
}

Node Evaluator::element(std::string_view text, const Path& path) {
  Node value;
  for (const bool syntax_only : {true, false}) {
    TextReader reader(*this, text, path, syntax_only);
    value = resolved(reader.element());
    reader.end();
  }
  return value;
}

void Evaluator::count(size_t nodes) {
  nodes_ += nodes;
  if (nodes_ > kMaxNodes) {
    throw Error(ErrorKind::kInterpolation, fmt::format("interpolations make more than {} values", kMaxNodes));
  }
}

void Evaluator::count_text(size_t bytes) {
  text_ += bytes;
  if (text_ > kMaxText) throw Error(ErrorKind::kInterpolation, "interpolations make more than 1 MiB of text");
}

Node Evaluator::resolved(const Node& node, const Path& path) {
  if (!node.needs_resolving()) return node;
  const DepthGuard guard(depth_, kMaxDepth);
  if (node.is_string()) return resolved_interpolation(node, path);
  count(1);
  Path below = path;
  below.emplace_back();
  Node result = node;
  if (node.is_list()) {
    for (size_t k = 0; k < node.list().size(); ++k) {
      if (!node.list()[k].needs_resolving()) continue;
      below.back() = std::to_string(k);
      Node item = resolved(node.list()[k], below);
      result.mutable_list()[k] = std::move(item);
    }
    return result;
  }
  for (const auto& entry : node.dict()) {
    if (!entry.value.needs_resolving()) continue;
    below.back() = entry.key().text;
    Node value = resolved(entry.value, below);
    result.mutable_dict().set(entry.shared_key, std::move(value));
  }
  return result;
}

Node Evaluator::resolved_interpolation(const Node& node, const Path& path) {
  const std::string at = path_text(path);
  if (const auto known = known_.find(at); known != known_.end()) {
    count(known->second.second);
    return known->second.first;
  }
  if (!open_.insert(at).second) {
    throw Error(ErrorKind::kInterpolation, "Recursive interpolation detected",
                fmt::format("  {} ({}): {}", at, node.mark().text(), show(node)));
  }
  const size_t before = nodes_;
  try {
    const Located value = text(node.as_string(), path);
    Node result = resolved(value).with_mark(node.mark());
    open_.erase(at);
    count(1);
    known_[at] = {result, nodes_ - before};
    return result;
  } catch (const Error& error) {
    open_.erase(at);
    throw Error(error.kind(), error.message(),
                fmt::format("{}{}  {}{}: {}", error.details(), error.details().empty() ? "" : "\n", at,
                            node.mark().known() ? " (" + node.mark().text() + ")" : "", show(node)));
  }
}

// Follows interpolations until the value is not one.
Located Evaluator::follow(Located at) {
  if (at.literal || !at.node.is_interpolation()) return at;
  const DepthGuard guard(depth_, kMaxDepth);
  const std::string where = path_text(at.path);
  if (const auto known = followed_.find(where); known != followed_.end() && known->second.first == at.node) {
    return known->second.second;
  }
  if (!open_.insert(where).second) throw Error(ErrorKind::kInterpolation, "Recursive interpolation detected");
  try {
    Located value = text(at.node.as_string(), at.path);
    open_.erase(where);
    followed_.insert_or_assign(where, std::pair(at.node, value));
    return value;
  } catch (...) {
    open_.erase(where);
    throw;
  }
}

std::optional<Located> Evaluator::find(const std::string& key, const Path& path, bool strict) {
  const size_t dots = std::min(key.find_first_not_of('.'), key.size());
  Path start;
  if (dots > 0) {
    if (dots > path.size()) return std::nullopt;
    start.assign(path.begin(), path.end() - static_cast<std::ptrdiff_t>(dots));
  }
  Located at{root_, {}};
  const auto step = [&](const std::string& name) {
    at = follow(std::move(at));
    const bool bad_index = at.node.is_list() && name.find_first_not_of("-0123456789") != std::string::npos;
    if (!at.node.is_container() && !strict) return false;
    if (at.node.is_missing()) throw_missing(path_text(at.path));
    if (!at.node.is_container()) {
      throw Error(
          ErrorKind::kInterpolation,
          fmt::format("ConfigTypeError raised while resolving interpolation: Error trying to access {}: node `{}` "
                      "is not a container and thus cannot contain `{}`",
                      key, path_text(at.path), name));
    }
    if (bad_index) {
      throw Error(
          ErrorKind::kInterpolation,
          fmt::format("ConfigTypeError raised while resolving interpolation: Index '{}' (str) is not an int", name));
    }
    const Node parent = at.node;
    const Node* child = parent.is_dict() ? parent.dict().find(name) : parent.find(name);
    if (child == nullptr) return false;
    at.node = *child;
    at.path.push_back(name);
    at.literal = false;
    return true;
  };
  for (const std::string& name : start) {
    if (!step(name)) return std::nullopt;
  }
  for (const std::string& name : split_path(key.substr(dots))) {
    if (!step(name)) return std::nullopt;
  }
  return follow(std::move(at));
}

}  // namespace roundtrip::hydra
