// The stages of a conditional UNet: residual blocks, each followed by a transformer where the stage has
// attention, and a change of resolution at the end.
//
// CrossAttnDownBlock2D, DownBlock2D, UNetMidBlock2DCrossAttn, UNetMidBlock2D, CrossAttnUpBlock2D and
// UpBlock2D of diffusers: stages differ in what they hold, not in kind.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "model/resnet_block.h"
#include "model/transformer.h"

namespace roundtrip::model {

// What conditions every block of one forward pass.
struct Signals {
  Tensor context;             // [N, L, D] the text's tokens; undefined in networks without attention
  std::vector<Tensor> times;  // of TimeProjections
};

// The shape of one stage. Channels of its blocks come from its place in the network.
struct StageShape {
  int64_t channels = 0;
  int64_t layers = 1;
  bool has_attention = false;
  ResnetShape resnet;            // in and out are filled in
  TransformerShape transformer;  // channels is filled in
};

class DownStage {
 public:
  // `downsample_padding` is nothing in the last stage, which keeps its resolution.
  DownStage(const WeightScope& weights, const StageShape& shape, int64_t in, std::optional<int64_t> downsample_padding,
            TimeProjections& times);

  // [N, in, h, w] -> [N, channels, h', w']. Appends to `skips` the picture after each layer and after
  // downsampling.
  Tensor operator()(Tensor x, const Signals& signals, std::vector<Tensor>& skips) const;

 private:
  std::vector<ResnetBlock> resnets_;
  std::vector<SpatialTransformer> attentions_;  // none, or one for each resnet
  std::optional<Conv2d> downsample_;
};

class MidStage {
 public:
  MidStage(const WeightScope& weights, const StageShape& shape, TimeProjections& times);
  Tensor operator()(Tensor x, const Signals& signals) const;  // [N, channels, h, w]

 private:
  std::vector<ResnetBlock> resnets_;
  std::optional<SpatialTransformer> attention_;
};

class UpStage {
 public:
  // `in` are the channels from below; each layer takes the channels of one skip, the last made first.
  UpStage(const WeightScope& weights, const StageShape& shape, int64_t in, const std::vector<int64_t>& skip_channels,
          bool upsamples, TimeProjections& times);

  // Takes its skips from the end of `skips`; what is left there says how large to become.
  Tensor operator()(Tensor x, const Signals& signals, std::vector<Tensor>& skips) const;

 private:
  std::vector<ResnetBlock> resnets_;
  std::vector<SpatialTransformer> attentions_;
  std::optional<Conv2d> upsample_;
};

// A convolution of stride 2. Padding 0 means what it does in diffusers: one row below and one column to the
// right.
Tensor downsample(const Conv2d& conv, const Tensor& x);

}  // namespace roundtrip::model
