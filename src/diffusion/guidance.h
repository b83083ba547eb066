// Classifier-free guidance: eps_w = w eps(c) + (1 - w) eps(null) (Ho & Salimans, 2022).
//
// w = 1 is the conditional prediction alone, w = 0 the unconditional one; neither asks for the other's row.
#pragma once

#include "diffusion/denoiser.h"

namespace roundtrip::diffusion {

enum class Branches { kConditional, kUnconditional, kBoth };

// Which rows a guided prediction needs. Identical conditionings need one row whatever w is.
Branches branches(const Conditioning& conditional, const Conditioning& unconditional, double w);

Tensor guide(const Tensor& eps_conditional, const Tensor& eps_unconditional, double w);

}  // namespace roundtrip::diffusion
