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

// Reads an activation of diffusers' networks: silu or swish, mish, gelu or relu, in any letter case. Throws kInput for
// other names.
Activation read_activation(JsonConfig& config, std::string_view key, std::string fallback = "silu");

}  // namespace roundtrip::model
