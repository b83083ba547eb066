// Merging one config over another (hydra.md 1.7).
#pragma once

#include "hydra/tree/node.h"

namespace roundtrip::hydra {

// `over` on top of `base`. Dicts merge deeply and keep the order of first appearance; lists and scalars replace; ???
// never replaces a value. Where a dict meets an interpolation of `base`, the interpolation is read in `root` first.
// Throws kType for a list against a dict.
Node merge(const Node& base, const Node& over, const Node* root = nullptr);

}  // namespace roundtrip::hydra
