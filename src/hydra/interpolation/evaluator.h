// Reads OmegaConf's interpolation grammar and evaluates it as it reads. Private to the room.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "hydra/interpolation/interpolation.h"

namespace roundtrip::hydra {

using Path = std::vector<std::string>;

// A node, and the place in the tree that its own relative interpolations start from.
struct Located {
  Node node;
  Path path;
  bool literal = false;  // a finished text: final even where it looks like an interpolation (from \\${x})
};

// Resolves one tree. Caches resolved values, so that a value with many references is resolved once.
class Evaluator {
 public:
  Evaluator(const Node& root, const ResolveContext& context) : root_(root), context_(context) {}

  // Returns the node without interpolations. `path` is its place.
  Node resolved(const Node& node, const Path& path);
  Node resolved(const Located& value) { return value.literal ? value.node : resolved(value.node, value.path); }
  // Throws kInterpolation where `text` does not parse, without looking up any reference.
  void check_syntax(std::string_view text);
  // Evaluates a string at `path`: returns the referenced node where it is one interpolation, else the joined text.
  Located text(std::string_view text, const Path& path);
  Node element(std::string_view text, const Path& path);

  // Returns the node that `key` ("a.b", "a[0]", ".x", "..x") refers to, seen from `path`, if it exists. A path that
  // leads through a scalar or ??? is an error if `strict` (interpolations), else nothing (oc.select).
  std::optional<Located> find(const std::string& key, const Path& path, bool strict = false);

  // Count the values and bytes that interpolations produce: a few that refer to each other can produce any number.
  // Throw kInterpolation past the limit.
  void count(size_t nodes);
  void count_text(size_t bytes);

  const ResolveContext& context() const { return context_; }

 private:
  friend class TextReader;
  static constexpr int kMaxDepth = 100;
  static constexpr size_t kMaxText = size_t{1} << 20, kMaxNodes = 500'000;

  Node resolved_interpolation(const Node& node, const Path& path);
  Located follow(Located at);

  const Node& root_;
  const ResolveContext& context_;
  std::map<std::string, std::pair<Node, size_t>> known_;      // by path: the value and how many nodes it holds
  std::map<std::string, std::pair<Node, Located>> followed_;  // by path: the interpolation and its value
  std::set<std::string> open_;                                // paths whose interpolation is being evaluated
  size_t nodes_ = 0, text_ = 0;
  int depth_ = 0;
};

// Calls the resolver `name`. Throws kInterpolation.
Located call_resolver(Evaluator& evaluator, const std::string& name, const std::vector<Located>& arguments,
                      const Path& path);

std::string path_text(const Path& path);

}  // namespace roundtrip::hydra
