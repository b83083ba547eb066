// The values of YAML scalars whose type is known, as PyYAML constructs them: `0x1F`, `017` (octal), `1:30` (90),
// `1_0.5`.
#pragma once

#include <cstdint>
#include <string_view>

#include "hydra/tree/node.h"

namespace roundtrip::hydra {

// Each throws kParse, starting with the mark.
int64_t construct_int(std::string_view text, const Mark& mark);
double construct_float(std::string_view text, const Mark& mark);
bool construct_bool(std::string_view text, const Mark& mark);

}  // namespace roundtrip::hydra
