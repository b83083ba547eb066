// Steps of the multistep solver DPM-Solver++(2M) and of its stochastic form, on any grid.
//
// Lu, Zhou, Bao, Chen, Li & Zhu, "DPM-Solver++: Fast Solver for Guided Sampling of Diffusion Probabilistic Models",
// 2022 (arXiv 2211.01095), algorithm 2 and appendix; with lambda = log(a / s), h = lambda_{i-1} - lambda_i, h_0 =
// lambda_i - lambda_{i+1} and m_i = x_0 as predicted at level i:
//   D = m_i + h / (2 h_0) (m_i - m_{i+1})                                       m_i alone: first order
//   x_{i-1} = (s_{i-1} / s_i) x_i + a_{i-1} (1 - e^{-h}) D                                            2M
//   x_{i-1} = (s_{i-1} / s_i) e^{-h} x_i + a_{i-1} (1 - e^{-2h}) D + s_{i-1} sqrt(1 - e^{-2h}) n      SDE
// At first order 2M is DDIM's step at eta = 0 and the SDE its step at eta = 1.
#pragma once

#include <vector>

#include "diffusion/step_grid.h"

namespace roundtrip::inversion {

// x_0 by the prediction `out` [...] at x [...] and grid index i.
at::Tensor predicted_x0(const diffusion::StepGrid& grid, const at::Tensor& x, const at::Tensor& out, int i);

// h / (2 h_0) of the step from grid index i < S; 0 where one of the levels is without noise or without data.
double second_order_share(const diffusion::StepGrid& grid, int i);

// The step of 2M from grid index i to i - 1 by D [...].
at::Tensor step_2m(const diffusion::StepGrid& grid, const at::Tensor& x, const at::Tensor& D, int i);

// The mean of the stochastic step from grid index i to i - 1 by D [...]. Its deviation is grid.sigma(1, i, i - 1).
at::Tensor sde_mean(const diffusion::StepGrid& grid, const at::Tensor& x, const at::Tensor& D, int i);

// The m_i of one walk down, from which its D follow.
class PredictionsOfX0 {
 public:
  explicit PredictionsOfX0(int steps) : m_(steps + 2) {}

  // Keeps m_i and returns D; of first order where m_{i+1} is not known, or `first_order`.
  at::Tensor push(const diffusion::StepGrid& grid, at::Tensor m, int i, bool first_order = false);

 private:
  std::vector<at::Tensor> m_;  // by grid index; undefined where not walked
};

}  // namespace roundtrip::inversion
