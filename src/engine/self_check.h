// Does a row's answer depend on who rides in its batch? Under `determinism: strict` it must not.
#pragma once

#include <span>

#include "engine/request.h"

namespace roundtrip::engine {

// Evaluates `row` in batches of `batch_rows` at several positions among neighbours with other latents and timesteps of
// `times`, with gradients where `with_gradient`, and compares bit by bit. `times` are some that the network knows.
bool rows_are_independent(diffusion::Denoiser& denoiser, const Row& row, std::span<const double> times, int batch_rows,
                          bool with_gradient);

// Pins the thread count so that rows are independent at this batch shape: the present count where the check passes,
// else one thread. Returns the line that tells the user, empty where nothing had to change. Throws kNumeric where even
// one thread does not help.
std::string settle_strict_threads(diffusion::Denoiser& denoiser, const Row& row, std::span<const double> times,
                                  int batch_rows);

}  // namespace roundtrip::engine
