// `key=value` on the composed tree (hydra.md 1.8). Private to the room.
#pragma once

#include <string>

#include "hydra/override/override.h"
#include "hydra/tree/node.h"

namespace roundtrip::hydra {

// Throws kCompose, first lines as Hydra says them.
void apply_value_override(Node& root, const Override& item);

}  // namespace roundtrip::hydra
