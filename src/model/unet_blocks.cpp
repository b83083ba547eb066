#include "model/unet_blocks.h"

#include <utility>

#include "base/error.h"

namespace roundtrip::model {
namespace {

ResnetShape resnet_shape(const StageShape& stage, int64_t in) {
  ResnetShape shape = stage.resnet;
  shape.in = in;
  shape.out = stage.channels;
  return shape;
}

TransformerShape transformer_shape(const StageShape& stage) {
  TransformerShape shape = stage.transformer;
  shape.channels = stage.channels;
  return shape;
}

}  // namespace

Tensor downsample(const Conv2d& conv, const Tensor& x) {
  return conv.window.padding == 0 ? conv(at::constant_pad_nd(x, {0, 1, 0, 1})) : conv(x);
}

DownStage::DownStage(const WeightScope& weights, const StageShape& shape, int64_t in,
                     std::optional<int64_t> downsample_padding, TimeProjections& times) {
  for (int64_t layer = 0; layer < shape.layers; ++layer) {
    resnets_.emplace_back(weights / "resnets" / layer, resnet_shape(shape, layer == 0 ? in : shape.channels), &times);
    if (shape.has_attention) attentions_.emplace_back(weights / "attentions" / layer, transformer_shape(shape));
  }
  if (downsample_padding) {
    downsample_.emplace(weights / "downsamplers" / 0 / "conv", shape.channels, shape.channels,
                        Conv2d::Window{.stride = 2, .padding = *downsample_padding});
  }
}

Tensor DownStage::operator()(Tensor x, const Signals& signals, std::vector<Tensor>& skips) const {
  for (size_t layer = 0; layer < resnets_.size(); ++layer) {
    x = resnets_[layer](x, signals.times);
    if (!attentions_.empty()) x = attentions_[layer](x, signals.context);
    skips.push_back(x);
  }
  if (downsample_) {
    x = downsample(*downsample_, x);
    skips.push_back(x);
  }
  return x;
}

MidStage::MidStage(const WeightScope& weights, const StageShape& shape, TimeProjections& times) {
  resnets_.emplace_back(weights / "resnets" / 0, resnet_shape(shape, shape.channels), &times);
  if (!shape.has_attention) return;
  attention_.emplace(weights / "attentions" / 0, transformer_shape(shape));
  resnets_.emplace_back(weights / "resnets" / 1, resnet_shape(shape, shape.channels), &times);
}

Tensor MidStage::operator()(Tensor x, const Signals& signals) const {
  x = resnets_[0](x, signals.times);
  if (!attention_) return x;
  return resnets_[1]((*attention_)(x, signals.context), signals.times);
}

UpStage::UpStage(const WeightScope& weights, const StageShape& shape, int64_t in,
                 const std::vector<int64_t>& skip_channels, bool upsamples, TimeProjections& times) {
  for (int64_t layer = 0; layer < shape.layers; ++layer) {
    const int64_t from_below = layer == 0 ? in : shape.channels;
    resnets_.emplace_back(weights / "resnets" / layer, resnet_shape(shape, from_below + skip_channels.at(layer)),
                          &times);
    if (shape.has_attention) attentions_.emplace_back(weights / "attentions" / layer, transformer_shape(shape));
  }
  if (upsamples) {
    upsample_.emplace(weights / "upsamplers" / 0 / "conv", shape.channels, shape.channels, Conv2d::Window{});
  }
}

Tensor UpStage::operator()(Tensor x, const Signals& signals, std::vector<Tensor>& skips) const {
  for (size_t layer = 0; layer < resnets_.size(); ++layer) {
    x = at::cat({x, skips.back()}, 1);
    skips.pop_back();
    x = resnets_[layer](x, signals.times);
    if (!attentions_.empty()) x = attentions_[layer](x, signals.context);
  }
  if (!upsample_) return x;
  check(!skips.empty(), "an upsampling stage has another above it");
  return (*upsample_)(upsample_nearest(x, skips.back().sizes().slice(2)));
}

}  // namespace roundtrip::model
