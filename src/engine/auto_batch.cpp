#include "engine/auto_batch.h"

#include <algorithm>
#include <limits>

#include <ATen/core/grad_mode.h>

#include "base/stopwatch.h"
#include "engine/batch.h"

namespace roundtrip::engine {
namespace {

// The best of three, after a first call that allocates and plans.
double seconds_of_batch(diffusion::Denoiser& denoiser, const Row& row, int rows) {
  const at::NoGradGuard no_grad;
  const Batch inputs = make_batch(std::vector<const Row*>(rows, &row), rows);
  const auto evaluate = [&] {
    const Stopwatch stopwatch;
    non_finite_rows(denoiser.eps(inputs.x, inputs.t, inputs.conditioning), 1);  // waits for the device
    return stopwatch.seconds();
  };
  evaluate();
  return std::min({evaluate(), evaluate(), evaluate()});
}

// A generous guess of a row's activations: no network measured so far kept more than this many copies of its input
// alive per channel of width. It bounds the search; the engine still halves a batch that does not fit.
int64_t bytes_of_row(const Row& row) { return row.x.numel() * row.x.element_size() * 2048; }

// A batch that takes longer than this is measured once and is the last: on such a network a longer search costs more
// than it saves.
constexpr double kLongestBatchSeconds = 2;

}  // namespace

BatchCalibration calibrate_batch(diffusion::Denoiser& denoiser, const Row& row, int64_t memory_bytes, int limit) {
  std::vector<BatchCalibration> measured;
  double best = std::numeric_limits<double>::infinity();
  // Every size is measured: on a busy machine one slow reading says nothing about the next size.
  for (int rows = 1; rows <= limit && rows * bytes_of_row(row) <= memory_bytes; rows *= 2) {
    const double seconds = seconds_of_batch(denoiser, row, rows);
    measured.push_back({rows, seconds / rows});
    best = std::min(best, seconds / rows);
    if (seconds > kLongestBatchSeconds) break;
  }
  if (measured.empty()) measured.push_back({1, seconds_of_batch(denoiser, row, 1)});
  return *std::ranges::find_if(measured, [&](const auto& each) { return each.seconds_per_row <= 1.05 * best; });
}

}  // namespace roundtrip::engine
