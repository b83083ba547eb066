// `key=value` on the composed tree (hydra.md 1.8). Private to the room.
#pragma once

#include "config/node.h"
#include "config/override.h"

namespace roundtrip::config {

// Throws kCompose, first lines as Hydra says them.
void apply_value_override(Node& root, const Override& item);

// Python's ==: 1 == 1.0 == True, dicts in any order.
bool python_equal(const Node& a, const Node& b);

}  // namespace roundtrip::config
