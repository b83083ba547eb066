// Calibration for engine.max_batch=auto: the smallest batch that is nearly as fast per row as the best.
#pragma once

#include "engine/request.h"

namespace roundtrip::engine {

struct BatchCalibration {
  int max_batch = 1;
  double seconds_per_row = 0;  // at that batch; `roundtrip plan` uses it for estimates
};

// Doubles the batch from 1 up to `limit`, within `memory_bytes`, until one does not fit the device or two took more
// than `long_seconds`. Returns the smallest within 5 % of the best. Throws the denoiser's error if one row does not
// fit.
BatchCalibration calibrate_batch(diffusion::Denoiser& denoiser, const Row& row, int64_t memory_bytes, int limit = 64,
                                 double long_seconds = 2);

}  // namespace roundtrip::engine
