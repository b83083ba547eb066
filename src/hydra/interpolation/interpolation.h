// ${...}: references to other keys and calls of resolvers (OmegaConf 2.3's grammar; hydra.md 1.9).
//
// Resolvers: oc.env, oc.decode, oc.select, oc.create, oc.dict.keys, oc.dict.values, oc.deprecated, now, hydra, sha256,
// git:sha.
// Not built: user-registered resolvers, arithmetic, Hydra's legacy `env` and `python_version`.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hydra/tree/node.h"

namespace roundtrip::hydra {

struct ResolveContext {
  Node hydra;                                                                    // the node that ${hydra:a.b} reads
  std::chrono::system_clock::time_point now = std::chrono::system_clock::now();  // one time for a whole sweep
  // Replaces the environment in tests. Returns false where the variable is not set.
  std::function<bool(const std::string& name, std::string& value)> environment;
};

// Returns the whole tree without interpolations. Throws kInterpolation (not found, recursive, unknown resolver), or
// kMissing where an interpolation reads ???. A ??? of its own stays.
Node resolve(const Node& root, const ResolveContext& context = {});

// Resolves `text` as the value of the key `at` (a dotted path; "" for a key of the root).
Node resolve_text(const Node& root, std::string_view text, std::string_view at = {},
                  const ResolveContext& context = {});

// Resolves the grammar's `element` rule: an argument of a resolver.
Node resolve_element(const Node& root, std::string_view text, const ResolveContext& context = {});

// Throws kInterpolation for the first interpolation of the tree that does not parse, naming its place.
void check_syntax(const Node& tree);

// Returns the container that `text`, the value at `at`, refers to, with its own interpolations unresolved; nothing
// where it is text or a scalar, or does not resolve. Used to merge over a reference.
std::optional<Node> referenced_container(const Node& root, std::string_view text, std::string_view at);

// Dotted paths of all ??? in the tree.
std::vector<std::string> missing_keys(const Node& root);
// Throws kMissing naming all ??? of the tree at once, with the text to paste.
void check_missing(const Node& root);

}  // namespace roundtrip::hydra
