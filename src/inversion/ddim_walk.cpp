#include "inversion/ddim_walk.h"

#include "diffusion/guidance.h"
#include "diffusion/transfer.h"

namespace roundtrip::inversion {

using diffusion::Branches;
using engine::Row;

Task<Tensor> predict(const Problem& p, Tensor x, int t, const Conditioning& c) {
  std::vector<Row> rows;
  rows.emplace_back(x, t, c);
  const std::vector<Tensor> eps = co_await p.network.eps(std::move(rows));
  co_return eps[0];
}

Task<Tensor> guided(const Problem& p, Tensor x, int t, const Conditioning& c, const Conditioning& null, double w) {
  const Branches branches = diffusion::branches(c, null, w);
  std::vector<Row> rows;
  if (branches != Branches::kUnconditional) rows.emplace_back(x, t, c);
  if (branches != Branches::kConditional) rows.emplace_back(x, t, null);
  const std::vector<Tensor> eps = co_await p.network.eps(std::move(rows));
  co_return branches == Branches::kBoth ? diffusion::guide(eps[0], eps[1], w) : eps[0];
}

int64_t guided_rows(int64_t steps, double w, bool one_embedding) {
  return w == 0 || w == 1 || one_embedding ? steps : 2 * steps;
}

Task<Trajectory> ddim_invert(const Problem& p, Tensor x0) {
  Tensor x = std::move(x0);
  Trajectory path{x};
  for (int i = 1; i <= p.grid.steps(); ++i) {
    const int at = p.eps_at == EpsAt::kTarget ? i : i - 1;  // eps(x_{t-1}, t) or eps(x_{t-1}, t-1)
    const Tensor eps = co_await guided(p, x, p.grid.time(at), p.source, p.null, p.invert_w);
    x = diffusion::transfer(x, eps, p.grid.alpha_bar(i - 1), p.grid.alpha_bar(i));
    path.push_back(x);
  }
  co_return path;
}

Task<Trajectory> ddim_sample(const Problem& p, Tensor x_S, GuidesAt guides_at) {
  Tensor x = std::move(x_S);
  Trajectory path{x};
  for (int i = p.grid.steps(); i >= 1; --i) {
    const double from = p.grid.alpha_bar(i), to = p.grid.alpha_bar(i - 1);
    const double sigma = diffusion::ddim_sigma(p.eta, from, to);
    const Guides guides = guides_at(i);
    const Tensor eps = co_await guided(p, x, p.grid.time(i), guides.conditional, guides.unconditional, p.w);
    x = diffusion::transfer(x, eps, from, to, sigma);
    if (sigma > 0) x = at::add(x, p.noise(NoisePurpose::kSampling, i, x), sigma);
    path.push_back(x);
  }
  co_return path;
}

Task<Trajectory> ddim_sample(const Problem& p, Tensor x_S, Conditioning conditioning) {
  const Guides guides{std::move(conditioning), p.null};
  const GuidesAt same = [guides](int) { return guides; };
  return ddim_sample(p, std::move(x_S), same);
}

}  // namespace roundtrip::inversion
