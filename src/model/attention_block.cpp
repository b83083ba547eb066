#include "model/attention_block.h"

namespace roundtrip::model {

AttentionBlock::AttentionBlock(const WeightScope& weights, const AttentionBlockShape& shape)
    : attention_(weights, attention_names(weights), shape.channels,
                 {.heads = shape.channels / shape.head_channels, .channels = shape.head_channels}, /*has_bias=*/true),
      output_divisor_(shape.output_divisor) {
  if (shape.norm_groups) norm_.emplace(weights / "group_norm", shape.channels, *shape.norm_groups, shape.norm_eps);
}

Tensor AttentionBlock::operator()(const Tensor& x) const {
  const Tensor attended = attention_(to_tokens(norm_ ? (*norm_)(x) : x));
  const Tensor sum = add(to_picture(attended, x.size(2), x.size(3)), x);
  return output_divisor_ == 1 ? sum : sum / output_divisor_;
}

}  // namespace roundtrip::model
