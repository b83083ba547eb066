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
  Node hydra;                                                                    // what ${hydra:a.b} reads
  std::chrono::system_clock::time_point now = std::chrono::system_clock::now();  // one time for a whole sweep
  // The environment; tests put their own. Returns false where the variable is not set.
  std::function<bool(const std::string& name, std::string& value)> environment;
};

// The whole tree without interpolations. Throws kInterpolation (not found, recursive, unknown resolver), or kMissing
// where an interpolation reads ???. A ??? of its own stays.
Node resolve(const Node& root, const ResolveContext& context = {});

// `text` as if it stood at key `at` (a dotted path; "" for a key of the root), resolved.
Node resolve_text(const Node& root, std::string_view text, std::string_view at = {},
                  const ResolveContext& context = {});

// The grammar's `element` rule: what may stand as an argument of a resolver.
Node resolve_element(const Node& root, std::string_view text, const ResolveContext& context = {});

// Throws kInterpolation for the first interpolation of the tree that does not parse, naming its place.
void check_syntax(const Node& tree);

// The container that `text`, standing at `at`, is a reference to, as it stands there (its own interpolations unread);
// nothing where it is text, a scalar, or does not resolve. Merging over a reference needs it.
std::optional<Node> referenced_container(const Node& root, std::string_view text, std::string_view at);

// Dotted paths of all ??? in the tree.
std::vector<std::string> missing_keys(const Node& root);
// Throws kMissing naming all ??? of the tree at once, with the text to paste.
void check_missing(const Node& root);

}  // namespace roundtrip::hydra
