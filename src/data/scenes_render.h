// How the scenes are painted.
#pragma once

#include "data/scenes.h"

namespace roundtrip::data::scenes {

// 255 where the two descriptions' pictures under one nuisance may differ: where an object covers more or less of a
// pixel than before, or in another colour, or where a changed background is seen. Elsewhere their bytes are equal.
Image change_mask(const Description& from, const Description& to, const Nuisance& nuisance);

}  // namespace roundtrip::data::scenes
