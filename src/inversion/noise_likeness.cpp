#include "inversion/noise_likeness.h"

#include <algorithm>
#include <vector>

namespace roundtrip::inversion {
namespace {

using at::Tensor;

// [C, h, w] -> [C, h/s, w/s, s, s], whole patches only.
Tensor patches(const Tensor& x, int64_t s) { return x.unfold(1, s, s).unfold(2, s, s); }

Tensor shift_gradient(const Tensor& n, int64_t r, int64_t axis) {
  const Tensor correlation = (n * n.roll(r, axis)).mean({1, 2}, true);  // [C, 1, 1]
  const double per_pixel = 1.0 / static_cast<double>(n.size(1) * n.size(2));
  return 2 * per_pixel * correlation * (n.roll(r, axis) + n.roll(-r, axis));
}

}  // namespace

Tensor patch_kl_gradient(const Tensor& eps, const Tensor& reference, bool as_released) {
  const int64_t s = std::min<int64_t>({4, eps.size(1), eps.size(2)}), n = s * s;
  const double of_variance = static_cast<double>(as_released ? std::max<int64_t>(n - 1, 1) : n);
  const auto moments = [&](const Tensor& p) {
    const Tensor mu = p.mean({-2, -1}, true);
    return std::pair(mu, (p - mu).square().sum({-2, -1}, true) / of_variance + (as_released ? 1e-6 : 1e-8));
  };
  const Tensor own = patches(eps, s);
  const auto [mu, v] = moments(own);
  const auto [mu_ref, v_ref] = moments(patches(reference, s));
  // Chain rule over the patch's n = s^2 elements: d mu/dx = 1/n, d v/dx = 2 (x - mu)/n, or /(n - 1).
  const Tensor by_element =
      (mu - mu_ref) / v_ref / static_cast<double>(n) + (1 / v_ref - 1 / v) * (own - mu) / of_variance;
  Tensor gradient = at::zeros_like(eps);
  patches(gradient, s).copy_(as_released ? 2 * by_element : by_element);  // a view: whole patches do not overlap
  return gradient;
}

namespace {

// Visits the resolutions of eps [C, h, w], each with its shift, one for all channels and from `least` on.
template <typename Visit>
void at_shifts(const Tensor& eps, const Tensor& shares, int64_t least, Visit visit) {
  constexpr int64_t kCoarsest = 8;
  Tensor n = eps;
  int64_t factor = 1;  // of the resolution's pixels to a pixel of n
  for (int64_t level = 0; level < shares.numel() && n.size(1) > 1 && n.size(2) > 1; ++level) {
    const int64_t half = std::max<int64_t>(std::min(n.size(1), n.size(2)) / 2, least + 1);
    visit(n, least + static_cast<int64_t>(shares[level].item<double>() * static_cast<double>(half - least)), factor);
    if (std::min(n.size(1), n.size(2)) < 2 * kCoarsest) break;
    n = at::avg_pool2d(n, {2, 2});
    factor *= 2;
  }
}

Tensor gradient_at_shifts(const Tensor& eps, const Tensor& shares, int64_t least) {
  Tensor gradient = at::zeros_like(eps);
  at_shifts(eps, shares, least, [&](const Tensor& n, int64_t r, int64_t factor) {
    const Tensor coarse = shift_gradient(n, r, 1) + shift_gradient(n, r, 2);
    // A pixel of n is the mean of factor^2 pixels: each of them takes its share of the gradient.
    const Tensor fine = coarse.repeat_interleave(factor, 1).repeat_interleave(factor, 2);
    gradient.narrow(1, 0, fine.size(1))
        .narrow(2, 0, fine.size(2))
        .add_(fine, 1.0 / static_cast<double>(factor * factor));
  });
  return gradient;
}

double sum_at_shifts(const Tensor& eps, const Tensor& shares, int64_t least) {
  double sum = 0;
  at_shifts(eps, shares, least, [&](const Tensor& n, int64_t r, int64_t) {
    for (const int64_t axis : {1, 2}) sum += (n * n.roll(r, axis)).mean({1, 2}).square().sum().item<double>();
  });
  return sum;
}

}  // namespace

Tensor autocorrelation_gradient(const Tensor& eps, const Tensor& uniforms) {
  const Tensor shares = uniforms.to(at::kCPU, at::kDouble);
  if (shares.dim() == 1) return gradient_at_shifts(eps, shares, 1);
  std::vector<Tensor> by_channel;
  for (int64_t c = 0; c < eps.size(0); ++c) by_channel.push_back(gradient_at_shifts(eps.narrow(0, c, 1), shares[c], 0));
  return at::cat(by_channel);
}

double autocorrelation(const Tensor& eps, const Tensor& uniforms) {
  const Tensor shares = uniforms.to(at::kCPU, at::kDouble);
  if (shares.dim() == 1) return sum_at_shifts(eps, shares, 1);
  double sum = 0;
  for (int64_t c = 0; c < eps.size(0); ++c) sum += sum_at_shifts(eps.narrow(0, c, 1), shares[c], 0);
  return sum;
}

}  // namespace roundtrip::inversion
