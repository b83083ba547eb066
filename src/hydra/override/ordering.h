// The functions sort() and shuffle() of overrides, over lists and sweeps. Private to the folder.
#pragma once

#include "hydra/override/functions.h"

namespace roundtrip::hydra {

Element call_sort(Call& call);
Element call_shuffle(Call& call);

}  // namespace roundtrip::hydra
