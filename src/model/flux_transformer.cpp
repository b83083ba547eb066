// The transformer of FLUX.1 (Black Forest Labs, 2024; diffusers' FluxTransformer2DModel, 0.42). It predicts the
// velocity of a rectified flow.
//
// A picture's patches of 2 x 2 and a text's tokens go through blocks with layers of their own for each, then through
// blocks that treat both alike and compute attention and feed-forward side by side. Positions are rotary. The dev model
// is told its guidance scale; schnell is not. Times and guidance scales are multiplied by 1000 here, as in diffusers,
// after a division that undoes it for times: the rounding of both is part of the arithmetic.
#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "model/ada_layer_norm.h"
#include "model/joint_attention.h"
#include "model/patches.h"
#include "model/row_network.h"
#include "model/time_text_embedding.h"

namespace roundtrip::model {
namespace {

constexpr int64_t kPatch = 2;
constexpr double kTimeFactor = 1000;
constexpr double kLargestHalf = 65504;

struct Shape {
  int64_t channels_in = 0, channels_out = 0;  // of a packed token
  int64_t layers = 0, single_layers = 0, heads = 0, head_channels = 0, context_channels = 0, pooled_channels = 0;
  std::vector<int64_t> axes = {};
  bool told_guidance = false;

  int64_t channels() const { return heads * head_channels; }
};

Shape read_shape(JsonConfig& config) {
  Shape shape{.channels_in = config.at_least(1, "in_channels", 64),
              .layers = config.at_least(0, "num_layers", 19),
              .single_layers = config.at_least(0, "num_single_layers", 38),
              .heads = config.at_least(1, "num_attention_heads", 24),
              .head_channels = config.at_least(1, "attention_head_dim", 128),
              .context_channels = config.at_least(1, "joint_attention_dim", 4096),
              .pooled_channels = config.at_least(1, "pooled_projection_dim", 768),
              .axes = config.get<std::vector<int64_t>>("axes_dims_rope", {16, 56, 56}),
              .told_guidance = config.get<bool>("guidance_embeds", false)};
  shape.channels_out = config.find<int64_t>("out_channels").value_or(shape.channels_in);
  if (shape.channels_in % (kPatch * kPatch) != 0) {
    config.fail("in_channels", "a multiple of 4, the latents of a patch of 2 x 2");
  }
  const auto is_odd = [](int64_t channels) { return channels < 2 || channels % 2 != 0; };
  if (shape.axes.size() != 3 || std::ranges::any_of(shape.axes, is_odd) ||
      std::reduce(shape.axes.begin(), shape.axes.end()) != shape.head_channels) {
    config.fail("axes_dims_rope",
                fmt::format("three even numbers that add up to attention_head_dim, {}", shape.head_channels));
  }
  config.refuse_unless("patch_size", {1});
  config.refuse_unread();
  return shape;
}

Tensor clipped(const Tensor& x) { return x.scalar_type() == at::kHalf ? x.clamp(-kLargestHalf, kLargestHalf) : x; }

HeadShape heads_of(const Shape& shape) { return {.heads = shape.heads, .channels = shape.head_channels}; }

struct DoubleBlock {
  Modulation norm, text_norm;
  JointAttention attention;
  FeedForward feed_forward, text_feed_forward;

  DoubleBlock(const WeightScope& weights, const Shape& shape)
      : norm(weights / "norm1", shape.channels(), 6),
        text_norm(weights / "norm1_context", shape.channels(), 6),
        attention(weights / "attn", shape.channels(), heads_of(shape), /*normed=*/true, /*is_last=*/false),
        feed_forward(weights / "ff", shape.channels()),
        text_feed_forward(weights / "ff_context", shape.channels()) {}

  void operator()(Tensor& x, Tensor& context, const Tensor& activated, const RotaryEmbedding& rotation) const {
    const std::vector<Tensor> m = norm(activated), c = text_norm(activated);  // shift, scale, gate; of ff
    const auto [attended, attended_context] =
        attention(modulated(x, m[0], m[1]), modulated(context, c[0], c[1]), &rotation);
    x = add_gated(x, m[2], attended);
    x = add_gated(x, m[5], feed_forward(modulated(x, m[3], m[4])));
    context = add_gated(context, c[2], attended_context);
    context = clipped(add_gated(context, c[5], text_feed_forward(modulated(context, c[3], c[4]))));
  }
};

// Attention and feed-forward of the same normed tokens, joined by one projection over [attention, feed-forward].
struct SingleBlock {
  Modulation norm;
  HeadProjections projections;
  Linear wide, out;

  SingleBlock(const WeightScope& weights, const Shape& shape)
      : norm(weights / "norm", shape.channels(), 3),
        projections(weights / "attn", kPictureNames, shape.channels(), heads_of(shape), /*normed=*/true),
        wide(weights / "proj_mlp", shape.channels(), 4 * shape.channels()),
        out(weights / "proj_out", 5 * shape.channels(), shape.channels()) {}

  Tensor operator()(const Tensor& x, const Tensor& activated, const RotaryEmbedding& rotation) const {
    const std::vector<Tensor> m = norm(activated);  // shift, scale, gate
    const Tensor normed = modulated(x, m[0], m[1]);
    const Tensor both = at::cat({attend(projections(normed), &rotation), gelu_tanh(wide(normed))}, 2);
    return clipped(add_gated(x, m[2], out(both)));
  }
};

class Layers {
 public:
  Layers(const Shape& shape, const WeightScope& weights)
      : shape_(shape),
        in_(weights / "x_embedder", shape.channels_in, shape.channels()),
        context_(weights / "context_embedder", shape.context_channels, shape.channels()),
        embedding_(weights / "time_text_embed", shape.pooled_channels, shape.channels(), shape.told_guidance),
        norm_out_(weights / "norm_out", shape.channels()),
        out_(weights / "proj_out", shape.channels(), shape.channels_out) {
    for (int64_t b = 0; b < shape.layers; ++b) doubles_.emplace_back(weights / "transformer_blocks" / b, shape);
    for (int64_t b = 0; b < shape.single_layers; ++b) {
      singles_.emplace_back(weights / "single_transformer_blocks" / b, shape);
    }
  }

  Tensor operator()(const Tensor& picture, const Tensor& t, const diffusion::Conditioning& given) const {
    const int64_t h = picture.size(2), w = picture.size(3), L = given.tokens.size(1);
    const Tensor told = given.guidance.defined() ? given.guidance.to(at::kFloat) * kTimeFactor : Tensor();
    const Tensor activated = embedding_(t.to(at::kFloat) / kTimeFactor * kTimeFactor, told, given.pooled);
    const RotaryEmbedding rotation(text_and_picture_positions(L, h / kPatch, w / kPatch, picture.device()),
                                   shape_.axes);
    Tensor x = in_(packed(picture)), context = context_(given.tokens);
    for (const DoubleBlock& block : doubles_) block(x, context, activated, rotation);
    Tensor both = at::cat({context, x}, 1);
    for (const SingleBlock& block : singles_) both = block(both, activated, rotation);
    return unpacked(out_(norm_out_(both.narrow(1, L, x.size(1)), activated)), h, w);
  }

 private:
  Shape shape_;
  Linear in_, context_;
  TimeTextEmbedding embedding_;
  std::vector<DoubleBlock> doubles_;
  std::vector<SingleBlock> singles_;
  ContinuousNorm norm_out_;
  Linear out_;
};

class FluxTransformer : public RowNetwork {
 public:
  FluxTransformer(JsonConfig config, const WeightOpener& weights, at::TensorOptions options)
      : FluxTransformer(read_shape(config), weights(), options) {}

 private:
  using Way = diffusion::GuidanceWay;

  FluxTransformer(const Shape& shape, WeightSource weights, at::TensorOptions options)
      : RowNetwork({.in_channels = shape.channels_in / (kPatch * kPatch),
                    .out_channels = shape.channels_out / (kPatch * kPatch),
                    .context_channels = shape.context_channels,
                    .pooled_channels = shape.pooled_channels,
                    .prompts = Prompts::kFlux,
                    .patch = kPatch,
                    .flow = diffusion::FlowLine::kPipeline,
                    .guidance = shape.told_guidance ? Way::kTold : Way::kNone},
                   options),
        layers_(shape, WeightScope(weights, options)) {
    refuse_unread(weights);
  }

  Tensor rows(const Tensor& x, const Tensor& t, const diffusion::Conditioning& given) const override {
    return layers_(x, t, given);
  }

  Layers layers_;
};

const Registered<Network, FluxTransformer> registered({.name = "FluxTransformer2DModel"});

}  // namespace
}  // namespace roundtrip::model
