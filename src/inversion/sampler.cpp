#include "inversion/sampler.h"

namespace roundtrip::inversion {

Sampler::Sampler(const Problem& run, Tensor x_S, Conditioning conditioning)
    : Sampler(run, std::move(x_S), [&run, c = std::move(conditioning)](int) { return CfgPair{c, run.null}; }) {}

Task<Tensor> Sampler::lead_in(Tensor x, int) const { co_return x; }

Tensor Sampler::step(const Tensor& x, const diffusion::CfgOut& out, int i) const {
  const double sigma = run.grid.sigma(run.eta(), i, i - 1);
  const Tensor mean = run.grid.step(x, diffusion::cfg(out, w()), i, i - 1, sigma);
  return sigma > 0 ? at::add(mean, run.noise(NoisePurpose::kSampling, i, x), sigma) : mean;
}

Task<Trajectory> walk(const Sampler& sampler) {
  Trajectory path = sampler.start();
  for (int i = sampler.run.grid.steps() + 1 - static_cast<int>(path.size()); i >= 1; --i) {
    const CfgPair pair = sampler.pair(i);
    const diffusion::CfgRows rows = sampler.rows(pair);
    Task<Tensor> leading = sampler.lead_in(path.back(), i);
    const Tensor x = co_await leading;
    const diffusion::CfgOut out = co_await predict_pair(sampler.run, x, i, pair, rows);
    path.push_back(sampler.step(x, out, i));
  }
  co_return path;
}

Task<SourceWalk> walk_watched(const Sampler& sampler, std::shared_ptr<const diffusion::AttentionPlan> plan) {
  SourceWalk walked{.path = sampler.start()};
  Trajectory& path = walked.path;
  for (int i = sampler.run.grid.steps() + 1 - static_cast<int>(path.size()); i >= 1; --i) {
    const CfgPair pair = sampler.pair(i);
    const diffusion::CfgRows which = sampler.rows(pair);
    Task<Tensor> leading = sampler.lead_in(path.back(), i);
    const Tensor x = co_await leading;
    std::vector<engine::Row> rows = rows_of(pair, which, x, sampler.run.grid[i].t);
    const engine::Answer answer = co_await sampler.run.network.out(std::move(rows), plan);
    walked.watched.push_back(answer.seen.watched);
    path.push_back(sampler.step(x, cfg_out(answer.out, which), i));
    walked.asked.push_back(x);
  }
  co_return walked;
}

}  // namespace roundtrip::inversion
