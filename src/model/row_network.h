// A network whose rows do not see each other: brings a batch to the network's type and device, and cuts it for threads.
#pragma once

#include "model/network.h"

namespace roundtrip::model {

class RowNetwork : public Network {
 public:
  at::Tensor predict(const diffusion::Batch& batch) const final;
  const Facts& facts() const final { return facts_; }

 protected:
  RowNetwork(Facts facts, at::TensorOptions options) : facts_(std::move(facts)), options_(options) {}

 private:
  // x [R, C, h, w], t [R] float64, and the conditioning that the network reads; all on its device, tensors of numbers
  // in its type. Returns [R, C, h, w].
  virtual at::Tensor rows(const at::Tensor& x, const at::Tensor& t, const diffusion::Conditioning& given) const = 0;

  diffusion::Conditioning given(const diffusion::Conditioning& conditioning) const;

  Facts facts_;
  at::TensorOptions options_;
};

}  // namespace roundtrip::model
