// Adam (Kingma & Ba, ICLR 2015, algorithm 1) at its default beta_1 = 0.9, beta_2 = 0.999, epsilon = 1e-8.
//
// The parameter is to be float32 at least: in half precision epsilon is 0 and the first step divides by it.
#pragma once

#include <ATen/ATen.h>

namespace roundtrip::inversion {

class Adam {
 public:
  explicit Adam(double learning_rate) : learning_rate_(learning_rate) {}

  // theta, g [...] -> theta after one step. Neither is changed.
  at::Tensor step(const at::Tensor& theta, const at::Tensor& g);

 private:
  double learning_rate_;
  int t_ = 0;
  at::Tensor m_, v_;  // first and second moment; undefined before the first step
};

}  // namespace roundtrip::inversion
