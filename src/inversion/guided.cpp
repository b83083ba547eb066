#include "inversion/guided.h"

namespace roundtrip::inversion {

using diffusion::CfgOut;
using diffusion::CfgRows;
using engine::Row;

std::vector<Row> rows_of(const CfgPair& pair, CfgRows which, const Tensor& x, double t) {
  std::vector<Row> rows;
  if (which != CfgRows::kUnconditional) rows.emplace_back(x, t, pair.conditional);
  if (which != CfgRows::kConditional) rows.emplace_back(x, t, pair.unconditional);
  return rows;
}

CfgOut cfg_out(const std::vector<Tensor>& out, CfgRows which) {
  CfgOut answer;
  if (which != CfgRows::kUnconditional) answer.conditional = out.front();
  if (which != CfgRows::kConditional) answer.unconditional = out.back();
  return answer;
}

Task<Tensor> predict(const Problem& run, Tensor x, int i, const Conditioning& c) {
  std::vector<Row> rows;
  rows.emplace_back(std::move(x), run.grid[i].t, run.guided({c, c}, 1).conditional);  // a distilled model is told 1
  const engine::Answer answer = co_await run.network.out(std::move(rows));
  co_return answer.out[0];
}

Task<CfgOut> predict_pair(const Problem& run, Tensor x, int i, const CfgPair& pair, CfgRows which) {
  std::vector<Row> rows = rows_of(pair, which, x, run.grid[i].t);
  const engine::Answer answer = co_await run.network.out(std::move(rows));
  co_return cfg_out(answer.out, which);
}

Task<Tensor> Guided::operator()(Tensor x, int i) const { return at_time(std::move(x), run_->grid[i].t); }

Task<Tensor> Guided::at_time(Tensor x, double t) const {
  const CfgRows which = diffusion::cfg_rows(pair_, w_);
  std::vector<Row> rows = rows_of(pair_, which, x, t);
  const engine::Answer answer = co_await run_->network.out(std::move(rows));
  co_return diffusion::cfg(cfg_out(answer.out, which), w_);
}

Task<std::vector<Tensor>> ask_together(const Problem& run, std::vector<Question> questions) {
  std::vector<Row> rows;
  std::vector<CfgRows> which;
  for (const Question& question : questions) {
    const Guided& eps_w = *question.eps_w;
    which.push_back(diffusion::cfg_rows(eps_w.pair_, eps_w.w_));
    for (Row& row : rows_of(eps_w.pair_, which.back(), question.x, run.grid[question.i].t)) {
      rows.push_back(std::move(row));
    }
  }
  const engine::Answer answer = co_await run.network.out(std::move(rows));
  std::vector<Tensor> out;
  auto row = answer.out.begin();
  for (size_t k = 0; k < questions.size(); ++k) {
    const auto end = row + (which[k] == CfgRows::kBoth ? 2 : 1);
    out.push_back(diffusion::cfg(cfg_out({row, end}, which[k]), questions[k].eps_w->w_));
    row = end;
  }
  co_return out;
}

Task<Tensor> Guided::gradient(Tensor x, int i, const Cotangent& cotangent) const {
  const CfgRows which = diffusion::cfg_rows(pair_, w_);
  const engine::Cotangent by_row = [&](const std::vector<Tensor>& out) {
    const Tensor d_eps_w = cotangent(diffusion::cfg(cfg_out(out, which), w_));
    return out.size() == 1 ? std::vector<Tensor>{d_eps_w} : std::vector<Tensor>{w_ * d_eps_w, (1 - w_) * d_eps_w};
  };
  std::vector<Row> rows = rows_of(pair_, which, x, run_->grid[i].t);
  const engine::OutAndGradient answer = co_await run_->network.out_vjp(std::move(rows), x, by_row);
  co_return answer.gradient();
}

}  // namespace roundtrip::inversion
