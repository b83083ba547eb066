#include "model/activation.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include <c10/core/GradMode.h>

namespace roundtrip::model {

Tensor activate(Activation activation, Tensor&& x) {
  const bool may_overwrite = !c10::GradMode::is_enabled();
  switch (activation) {
    case Activation::kSilu:
      return silu(std::move(x));
    case Activation::kMish:
      return may_overwrite ? at::mish_(x) : at::mish(x);
    case Activation::kGelu:
      return gelu(std::move(x));
    case Activation::kRelu:
      return may_overwrite ? at::relu_(x) : at::relu(x);
    case Activation::kQuickGelu:
      return quick_gelu(x);
  }
  return std::move(x);
}

Activation read_activation(JsonConfig& config, std::string_view key, std::string fallback) {
  auto name = config.get<std::string>(key, std::move(fallback));
  std::ranges::transform(name, name.begin(), [](unsigned char letter) { return std::tolower(letter); });
  if (name == "silu" || name == "swish") return Activation::kSilu;
  if (name == "mish") return Activation::kMish;
  if (name == "gelu") return Activation::kGelu;
  if (name == "relu") return Activation::kRelu;
  config.fail(key, "silu, swish, mish, gelu or relu");
}

}  // namespace roundtrip::model
