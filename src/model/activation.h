// Pointwise non-linearities, by the names that the configs of diffusers and transformers give them.
#pragma once

#include <initializer_list>
#include <string>

#include "model/json_config.h"
#include "model/layers.h"

namespace roundtrip::model {

enum class Activation {
  kSilu,       // x sigmoid(x)
  kMish,       // x tanh(softplus(x))
  kGelu,       // x Phi(x)
  kRelu,       // max(x, 0)
  kQuickGelu,  // x sigmoid(1.702 x)
};

Tensor activate(Activation activation, Tensor&& x);  // [...]

// The activations that diffusers' networks take: silu or swish, mish, gelu, relu, in any case of letters.
// Throws kInput for other names.
Activation read_activation(JsonConfig& config, std::string_view key, std::string fallback = "silu");

}  // namespace roundtrip::model
