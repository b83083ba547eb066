#include "engine/auto_batch.h"

#include <algorithm>
#include <limits>

#include <ATen/core/grad_mode.h>

#include "base/stopwatch.h"
#include "engine/out_of_memory.h"
#include "engine/row_batch.h"

namespace roundtrip::engine {
namespace {

// On a slow network, a search costs more than it saves: a long batch is measured once, and the second one ends the
// search.
constexpr int kLongBatches = 2;

// One batch size and its least time so far.
class Candidate {
 public:
  Candidate(diffusion::Denoiser& denoiser, const Row& row, int rows, double long_seconds)
      : denoiser_(&denoiser), inputs_(make_batch(std::vector<const Row*>(rows, &row), rows)), rows_(rows) {
    measure();
    is_long_ = seconds_ > long_seconds;
    if (is_long_) return;
    seconds_ = std::numeric_limits<double>::infinity();  // the first call also allocated and planned
    measure();
  }

  void measure() {
    const at::NoGradGuard no_grad;
    const Stopwatch stopwatch;
    non_finite_rows(denoiser_->out(inputs_));  // waits for the device
    seconds_ = std::min(seconds_, stopwatch.seconds());
  }

  bool is_long() const { return is_long_; }
  int rows() const { return rows_; }
  double seconds_per_row() const { return seconds_ / rows_; }

 private:
  diffusion::Denoiser* denoiser_;
  Batch inputs_;
  int rows_;
  bool is_long_ = false;
  double seconds_ = std::numeric_limits<double>::infinity();
};

// Generous estimate of the bytes of a row's activations: no network measured so far kept more copies of its input alive
// per channel of width. It bounds the search; the engine still halves a batch that does not fit.
int64_t bytes_of_row(const Row& row) { return row.x.numel() * row.x.element_size() * 2048; }

// Sizes are measured in turns, so that a short load on the machine slows all of them alike.
constexpr int kRounds = 4;

}  // namespace

BatchCalibration calibrate_batch(diffusion::Denoiser& denoiser, const Row& row, int64_t memory_bytes, int limit,
                                 double long_seconds) {
  std::vector<Candidate> candidates;
  int long_ones = 0;
  for (int rows = 1; rows == 1 || (rows <= limit && rows * bytes_of_row(row) <= memory_bytes); rows *= 2) {
    try {
      candidates.emplace_back(denoiser, row, rows, long_seconds);
    } catch (const std::exception& error) {
      if (rows == 1 || !is_out_of_memory(error)) throw;
      break;  // the estimate was too low, or others use the device
    }
    if (candidates.back().is_long() && ++long_ones == kLongBatches) break;
  }
  for (int round = 1; round < kRounds; ++round) {
    for (Candidate& candidate : candidates) {
      if (!candidate.is_long()) candidate.measure();
    }
  }
  const double best = std::ranges::min(candidates, {}, &Candidate::seconds_per_row).seconds_per_row();
  const auto chosen = std::ranges::find_if(
      candidates, [&](const Candidate& candidate) { return candidate.seconds_per_row() <= 1.05 * best; });
  return {chosen->rows(), chosen->seconds_per_row()};
}

}  // namespace roundtrip::engine
