#include "engine/self_check.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include "base/noise.h"
#include "engine/row_batch.h"

namespace roundtrip::engine {
namespace {

Tensor noise_like(const Tensor& tensor, int step) {
  Tensor noise = at::empty(tensor.sizes(), at::kFloat);
  fill_normal(std::span(noise.mutable_data_ptr<float>(), noise.numel()),
              {.seed = 0, .sample = "self-check", .purpose = NoisePurpose::kSelfCheck, .step = step});
  return noise.to(tensor.options());
}

struct Evaluated {
  Tensor out, gradient;
};

// Evaluates `row` at `position`, among neighbours drawn with `draw`.
Evaluated answer_at(diffusion::Denoiser& denoiser, const Row& row, std::span<const double> times, int batch_rows,
                    int position, int draw, bool with_gradient) {
  std::vector<Row> storage;
  for (int k = 0; k < batch_rows; ++k) {
    const bool own = k == position;
    Row neighbour(own ? row.x : noise_like(row.x, draw * batch_rows + k),
                  own ? row.t : times[(k + draw) % times.size()], row.conditioning);
    storage.push_back(std::move(neighbour));
  }
  std::vector<const Row*> rows;
  for (const Row& each : storage) rows.push_back(&each);
  Batch inputs = make_batch(rows, batch_rows);
  if (!with_gradient) {
    const at::NoGradGuard no_grad;
    return {denoiser.out(inputs)[position].clone(), {}};
  }
  const at::AutoGradMode grad(true);
  inputs.x.requires_grad_(true);
  const Tensor out = denoiser.out(inputs);
  const auto gradients = torch::autograd::grad({out}, {inputs.x}, {out.detach()});
  return {out.detach()[position].clone(), gradients[0][position].clone()};
}

bool same_bits(const Evaluated& a, const Evaluated& b) {
  return at::equal(a.out, b.out) && (!a.gradient.defined() || at::equal(a.gradient, b.gradient));
}

}  // namespace

bool rows_are_independent(diffusion::Denoiser& denoiser, const Row& row, std::span<const double> times, int batch_rows,
                          bool with_gradient) {
  check(!times.empty(), "a self-check has timesteps to ask at");
  const Evaluated first = answer_at(denoiser, row, times, batch_rows, 0, 0, with_gradient);
  for (const int position : {batch_rows / 2, batch_rows - 1}) {
    const Evaluated moved = answer_at(denoiser, row, times, batch_rows, position, position + 1, with_gradient);
    if (!same_bits(first, moved)) return false;
  }
  return true;
}

std::string pin_strict_threads(diffusion::Denoiser& denoiser, const Row& row, std::span<const double> times,
                               int batch_rows) {
  const auto independent = [&] {
    return rows_are_independent(denoiser, row, times, batch_rows, false) &&
           rows_are_independent(denoiser, row, times, batch_rows, true);
  };
  const int threads = at::get_num_threads();
  if (independent()) return {};
  at::set_num_threads(1);
  if (threads > 1 && independent()) {
    return fmt::format("strict: rows of a batch of {} depend on their neighbours at {} threads; running on one",
                       batch_rows, threads);
  }
  throw Error(ErrorKind::kNumeric,
              fmt::format("engine.determinism=strict: rows of a batch of {} depend on their neighbours even on one "
                          "thread; try another engine.max_batch (a power of two), or engine.determinism=fast",
                          batch_rows));
}

}  // namespace roundtrip::engine
