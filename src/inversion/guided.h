// eps_w(x, tau_i): the network under classifier-free guidance, as a function of a latent and a grid index.
//
//   eps_w = w eps(x, tau_i, c) + (1 - w) eps(x, tau_i, null)
// Only the rows that w needs are asked, in one request. On a flow model the prediction is v throughout.
#pragma once

#include "inversion/problem.h"

namespace roundtrip::inversion {

struct Question;

class Guided {
 public:
  Guided(const Problem& run, CfgPair pair, double w) : run_(&run), pair_(run.guided(std::move(pair), w)), w_(w) {}

  // x [C, H, W] -> eps_w [C, H, W]. The caller's Guided outlives the task.
  Task<Tensor> operator()(Tensor x, int i) const;

  // The same at a time between grid points (StepGrid::time_at).
  Task<Tensor> at_time(Tensor x, double t) const;

  // A loss on eps_w: the cotangent d loss / d eps_w, by the chain rule through both rows, gives d loss / d x.
  using Cotangent = std::function<Tensor(const Tensor& eps_w)>;
  Task<Tensor> gradient(Tensor x, int i, const Cotangent& cotangent) const;

 private:
  friend Task<std::vector<Tensor>> ask_together(const Problem& run, std::vector<Question> questions);

  const Problem* run_;
  CfgPair pair_;
  double w_;
};

// A guided prediction to ask for together with others: at x [C, H, W] and grid index i.
struct Question {
  Question(const Guided& eps_w, Tensor x, int i) : eps_w(&eps_w), x(std::move(x)), i(i) {}

  const Guided* eps_w;  // outlives the task
  Tensor x;
  int i;
};

// The answers [C, H, W] in order, all rows in one request.
Task<std::vector<Tensor>> ask_together(const Problem& run, std::vector<Question> questions);

// One row, unguided: eps(x, tau_i, c).
Task<Tensor> predict(const Problem& run, Tensor x, int i, const Conditioning& c);

// The rows of a pair that are asked, the conditional one first, and their predictions.
std::vector<engine::Row> rows_of(const CfgPair& pair, diffusion::CfgRows which, const Tensor& x, double t);
diffusion::CfgOut cfg_out(const std::vector<Tensor>& out, diffusion::CfgRows which);

// The predictions of the rows named, in one request.
Task<diffusion::CfgOut> predict_pair(const Problem& run, Tensor x, int i, const CfgPair& pair, diffusion::CfgRows rows);

}  // namespace roundtrip::inversion
