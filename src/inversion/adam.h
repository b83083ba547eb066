// Adam (Kingma & Ba, ICLR 2015, algorithm 1) at its default beta_1 = 0.9, beta_2 = 0.999, epsilon = 1e-8.
//
// With a weight decay it is AdamW (Loshchilov & Hutter, ICLR 2019), which shrinks the parameter before each step.
// The parameter is to be float32 at least: in half precision epsilon is 0 and the first step divides by it.
#pragma once

#include <ATen/ATen.h>

namespace roundtrip::inversion {

class Adam {
 public:
  explicit Adam(double learning_rate, double weight_decay = 0)
      : learning_rate_(learning_rate), weight_decay_(weight_decay) {}

  // theta, g [...] -> theta after one step. Neither is changed.
  at::Tensor step(const at::Tensor& theta, const at::Tensor& g);

 private:
  double learning_rate_, weight_decay_;
  int t_ = 0;
  at::Tensor m_, v_;  // first and second moment; undefined before the first step
};

}  // namespace roundtrip::inversion
