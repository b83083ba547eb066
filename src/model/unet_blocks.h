// Stages of a UNet: residual blocks, each followed by attention if the stage has it, and a change of resolution at the
// end.
//
// They cover diffusers' DownBlock2D, CrossAttnDownBlock2D, AttnDownBlock2D and ResnetDownsampleBlock2D with their
// counterparts on the way up, UNetMidBlock2D and UNetMidBlock2DCrossAttn. Stages differ in content, not in kind. Not
// implemented: the blocks named Simple, Skip and K.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "model/attention_block.h"
#include "model/resnet_block.h"
#include "model/transformer.h"

namespace roundtrip::model {

// Conditioning that every block of one forward pass receives.
struct Signals {
  Tensor context;                       // [N, L, D] the text's tokens; undefined in networks without attention to text
  std::vector<Tensor> times;            // of TimeProjections
  AttentionControl* control = nullptr;  // of rows that plans link; null: none are
};

enum class Resampler { kNone, kConv, kResnet };

// Shape of one stage. The stage fills in the channels that follow from its place in the network.
struct StageShape {
  int64_t channels = 0;
  std::vector<int64_t> depths = {1};  // transformer blocks after each residual block; one entry per layer
  ResnetShape resnet;                 // in and out are filled in
  std::variant<std::monostate, TransformerShape, AttentionBlockShape> attention;  // channels, depth are filled in
  Resampler resampler = Resampler::kNone;
  int64_t downsample_padding = 1;

  int64_t layers() const { return static_cast<int64_t>(depths.size()); }
  bool reads_text() const { return std::holds_alternative<TransformerShape>(attention); }
};

// The attention after one residual block, of whichever kind the stage has.
class StageAttention {
 public:
  StageAttention(const WeightScope& weights, const StageShape& shape, int64_t layer);
  Tensor operator()(Tensor x, const Signals& signals) const;  // [N, C, h, w]

 private:
  std::variant<std::monostate, SpatialTransformer, AttentionBlock> kind_;
};

class DownStage {
 public:
  DownStage(const WeightScope& weights, const StageShape& shape, int64_t in, TimeProjections& times);

  // [N, in, h, w] -> [N, channels, h', w']. Appends the picture to `skips`, after each layer and
  // after downsampling.
  Tensor operator()(Tensor x, const Signals& signals, std::vector<Tensor>& skips) const;

 private:
  std::string name_;
  std::vector<ResnetBlock> resnets_;
  std::vector<StageAttention> attentions_;
  std::variant<std::monostate, Conv2d, ResnetBlock> downsampler_;
};

// A residual block, then attention and another residual block for each layer.
class MidStage {
 public:
  MidStage(const WeightScope& weights, const StageShape& shape, TimeProjections& times);
  Tensor operator()(Tensor x, const Signals& signals) const;  // [N, channels, h, w]

 private:
  std::string name_;
  std::vector<ResnetBlock> resnets_;
  std::vector<StageAttention> attentions_;
};

class UpStage {
 public:
  // `in` counts the channels from below. Each layer takes the channels of one skip, the latest first.
  UpStage(const WeightScope& weights, const StageShape& shape, int64_t in, const std::vector<int64_t>& skip_channels,
          TimeProjections& times);

  // Takes its skips from the end of `skips`. The next one left there gives the size to enlarge to.
  Tensor operator()(Tensor x, const Signals& signals, std::vector<Tensor>& skips) const;

 private:
  std::string name_;
  std::vector<ResnetBlock> resnets_;
  std::vector<StageAttention> attentions_;
  std::variant<std::monostate, Conv2d, ResnetBlock> upsampler_;
};

// Convolves with stride 2. Padding 0 means the same as in diffusers: one row below and one column to the right.
Tensor downsample(const Conv2d& conv, const Tensor& x);

}  // namespace roundtrip::model
