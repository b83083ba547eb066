#include "model/unet_blocks.h"

#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "model/attention_control.h"

namespace roundtrip::model {
namespace {

// The rows of this residual block that take another row's branch.
RowCopies grafts(const Signals& signals, const std::string& stage, size_t layer) {
  return signals.control ? signals.control->grafts(fmt::format("{}.resnets.{}", stage, layer)) : RowCopies();
}

ResnetShape resnet_shape(const StageShape& stage, int64_t in) {
  ResnetShape shape = stage.resnet;
  shape.in = in;
  shape.out = stage.channels;
  return shape;
}

ResnetShape resampler_shape(const StageShape& stage, Resample resample) {
  ResnetShape shape = resnet_shape(stage, stage.channels);
  shape.resample = resample;
  return shape;
}

}  // namespace

Tensor downsample(const Conv2d& conv, const Tensor& x) {
  return conv.window.padding == 0 ? conv(at::constant_pad_nd(x, {0, 1, 0, 1})) : conv(x);
}

StageAttention::StageAttention(const WeightScope& weights, const StageShape& shape, int64_t layer) {
  if (const auto* transformer = std::get_if<TransformerShape>(&shape.attention)) {
    TransformerShape filled = *transformer;
    filled.channels = shape.channels;
    filled.depth = shape.depths.at(layer);
    kind_.emplace<SpatialTransformer>(weights / layer, filled);
  } else if (const auto* block = std::get_if<AttentionBlockShape>(&shape.attention)) {
    AttentionBlockShape filled = *block;
    filled.channels = shape.channels;
    kind_.emplace<AttentionBlock>(weights / layer, filled);
  }
}

Tensor StageAttention::operator()(Tensor x, const Signals& signals) const {
  if (const auto* transformer = std::get_if<SpatialTransformer>(&kind_))
    return (*transformer)(x, signals.context, signals.control);
  if (const auto* block = std::get_if<AttentionBlock>(&kind_)) return (*block)(x);
  return x;
}

DownStage::DownStage(const WeightScope& weights, const StageShape& shape, int64_t in, TimeProjections& times)
    : name_(weights.name()) {
  for (int64_t layer = 0; layer < shape.layers(); ++layer) {
    resnets_.emplace_back(weights / "resnets" / layer, resnet_shape(shape, layer == 0 ? in : shape.channels), &times);
    attentions_.emplace_back(weights / "attentions", shape, layer);
  }
  const WeightScope scope = weights / "downsamplers" / 0;
  if (shape.resampler == Resampler::kConv) {
    downsampler_.emplace<Conv2d>(scope / "conv", shape.channels, shape.channels,
                                 Conv2d::Window{.stride = 2, .padding = shape.downsample_padding});
  } else if (shape.resampler == Resampler::kResnet) {
    downsampler_.emplace<ResnetBlock>(scope, resampler_shape(shape, Resample::kHalve), &times);
  }
}

Tensor DownStage::operator()(Tensor x, const Signals& signals, std::vector<Tensor>& skips) const {
  for (size_t layer = 0; layer < resnets_.size(); ++layer) {
    const RowCopies grafted = grafts(signals, name_, layer);
    x = attentions_[layer](resnets_[layer](x, signals.times, {}, grafted), signals);
    skips.push_back(x);
  }
  if (std::holds_alternative<std::monostate>(downsampler_)) return x;
  const auto* conv = std::get_if<Conv2d>(&downsampler_);
  x = conv ? downsample(*conv, x) : std::get<ResnetBlock>(downsampler_)(x, signals.times);
  skips.push_back(x);
  return x;
}

MidStage::MidStage(const WeightScope& weights, const StageShape& shape, TimeProjections& times)
    : name_(weights.name()) {
  resnets_.emplace_back(weights / "resnets" / 0, resnet_shape(shape, shape.channels), &times);
  for (int64_t layer = 0; layer < shape.layers(); ++layer) {
    attentions_.emplace_back(weights / "attentions", shape, layer);
    resnets_.emplace_back(weights / "resnets" / (layer + 1), resnet_shape(shape, shape.channels), &times);
  }
}

Tensor MidStage::operator()(Tensor x, const Signals& signals) const {
  x = resnets_[0](x, signals.times, {}, grafts(signals, name_, 0));
  for (size_t layer = 0; layer < attentions_.size(); ++layer) {
    x = attentions_[layer](std::move(x), signals);
    x = resnets_[layer + 1](x, signals.times, {}, grafts(signals, name_, layer + 1));
  }
  return x;
}

UpStage::UpStage(const WeightScope& weights, const StageShape& shape, int64_t in,
                 const std::vector<int64_t>& skip_channels, TimeProjections& times)
    : name_(weights.name()) {
  for (int64_t layer = 0; layer < shape.layers(); ++layer) {
    const int64_t from_below = layer == 0 ? in : shape.channels;
    resnets_.emplace_back(weights / "resnets" / layer, resnet_shape(shape, from_below + skip_channels.at(layer)),
                          &times);
    attentions_.emplace_back(weights / "attentions", shape, layer);
  }
  const WeightScope scope = weights / "upsamplers" / 0;
  if (shape.resampler == Resampler::kConv) {
    upsampler_.emplace<Conv2d>(scope / "conv", shape.channels, shape.channels, Conv2d::Window{});
  } else if (shape.resampler == Resampler::kResnet) {
    upsampler_.emplace<ResnetBlock>(scope, resampler_shape(shape, Resample::kEnlarge), &times);
  }
}

Tensor UpStage::operator()(Tensor x, const Signals& signals, std::vector<Tensor>& skips) const {
  for (size_t layer = 0; layer < resnets_.size(); ++layer) {
    x = at::cat({x, skips.back()}, 1);
    skips.pop_back();
    const RowCopies grafted = grafts(signals, name_, layer);
    x = attentions_[layer](resnets_[layer](x, signals.times, {}, grafted), signals);
  }
  if (std::holds_alternative<std::monostate>(upsampler_)) return x;
  check(!skips.empty(), "an upsampling stage has another above it");
  const at::IntArrayRef size = skips.back().sizes().slice(2);
  const auto* conv = std::get_if<Conv2d>(&upsampler_);
  return conv ? (*conv)(upsample_nearest(x, size)) : std::get<ResnetBlock>(upsampler_)(x, signals.times, size);
}

}  // namespace roundtrip::model
