// The functions int(), float(), str() and bool() of overrides, over scalars, containers and sweeps. Private to the
// folder.
#pragma once

#include "hydra/override/functions.h"

namespace roundtrip::hydra {

enum class Cast { kInt, kFloat, kStr, kBool };

Element call_cast(Call& call, Cast to);

}  // namespace roundtrip::hydra
