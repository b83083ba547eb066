// Access to a network's weights for its layers: a source, the name so far, and the dtype and device that weights are
// converted to.
//
//   WeightScope unet(source, at::dtype(at::kFloat));
//   Conv2d conv(unet / "down_blocks" / 0 / "resnets" / 1 / "conv1", ...);   //
//   down_blocks.0.resnets.1.conv1.weight, .bias
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <ATen/ATen.h>

#include "model/safetensors.h"

namespace roundtrip::model {

class WeightScope {
 public:
  // `source` must outlive the scope; the layers built from it keep only tensors.
  WeightScope(WeightSource& source, at::TensorOptions options, std::string prefix = {});

  WeightScope operator/(std::string_view name) const;
  WeightScope operator/(int64_t index) const;

  std::string name() const;  // so far, such as "up_blocks.1"
  bool contains(std::string_view name) const;

  // Returns a copy of the weights, so that only one tensor of the file is in memory beside the network. Throws kInput
  // with the tensor's full name, the shape found and the shape expected.
  at::Tensor tensor(std::string_view name, at::IntArrayRef shape,
                    at::MemoryFormat format = at::MemoryFormat::Contiguous) const;

  // Returns a matrix that older writers stored as a 1x1 convolution: [out, in] or [out, in, 1, 1] -> [out, in].
  at::Tensor matrix(std::string_view name, int64_t out, int64_t in) const;

 private:
  std::string full_name(std::string_view name) const;
  at::Tensor brought_over(const at::Tensor& found, const std::string& name, at::MemoryFormat format) const;

  WeightSource* source_;
  at::TensorOptions options_;
  std::string prefix_;  // "" or "a.b."
};

// Throws kInput naming the first tensor of `source` that no layer has read.
void refuse_unread(const WeightSource& source);

}  // namespace roundtrip::model
