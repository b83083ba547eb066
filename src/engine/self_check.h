// Checks that a row's answer does not depend on the other rows of its batch, as `determinism: strict` requires.
#pragma once

#include <span>

#include "engine/request.h"

namespace roundtrip::engine {

// Evaluates `row` in batches of `batch_rows`, at several positions among neighbours with other latents and timesteps
// from `times`, with gradients if `with_gradient`, and compares bit by bit. The network must know all `times`.
bool rows_are_independent(diffusion::Denoiser& denoiser, const Row& row, std::span<const double> times, int batch_rows,
                          bool with_gradient);

// Sets the thread count so that rows are independent at this batch shape: the present count if the check passes, else
// one thread. Returns a line for the user, empty if nothing had to change. Throws kNumeric if even one thread does not
// help.
std::string pin_strict_threads(diffusion::Denoiser& denoiser, const Row& row, std::span<const double> times,
                               int batch_rows);

}  // namespace roundtrip::engine
