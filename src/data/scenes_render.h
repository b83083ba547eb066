// Renderer of scenes.
#pragma once

#include "data/scenes.h"

namespace roundtrip::data::scenes {

// Mask: 255 where the two pictures under one nuisance may differ, because an object covers more or less of a pixel or
// has another colour, or a changed background is visible. Elsewhere their bytes are equal.
Image change_mask(const Description& from, const Description& to, const Nuisance& nuisance);

}  // namespace roundtrip::data::scenes
