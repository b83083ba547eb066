// Equality of values and of dict keys as Python defines it, where True, 1 and 1.0 are equal.
#pragma once

#include <string>

#include "hydra/tree/node.h"

namespace roundtrip::hydra {

// Python's ==: 1 == 1.0 == True, dicts in any order.
bool python_equal(const Node& a, const Node& b);
// Returns the same text for scalars that are the same key of a Python dict.
std::string python_key(const Node& scalar);

}  // namespace roundtrip::hydra
