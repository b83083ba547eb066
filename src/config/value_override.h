// `key=value` on the composed tree (hydra.md 1.8). Private to the room.
#pragma once

#include <string>

#include "config/node.h"
#include "config/override.h"

namespace roundtrip::config {

// Throws kCompose, first lines as Hydra says them.
void apply_value_override(Node& root, const Override& item);

// Python's ==: 1 == 1.0 == True, dicts in any order.
bool python_equal(const Node& a, const Node& b);
// A text that scalars have in common where Python holds them to be the same key of a dict.
std::string python_key(const Node& scalar);

}  // namespace roundtrip::config
