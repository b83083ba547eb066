// The transformer of Stable Diffusion 3 and 3.5 (Esser et al., "Scaling rectified flow transformers", ICML 2024,
// figure 2; diffusers' SD3Transformer2DModel, 0.42). It predicts the velocity of a rectified flow.
//
// A picture's patches and a text's tokens go through blocks in which they attend to each other; the last block drops
// the text. Positions are added to the patches, from a table in the weights that is cropped around its centre. SD3.5
// norms queries and keys, and its first blocks have a second attention of the patches among themselves. The rows of
// zeros that stand for an absent T5 are computed once (equal_tokens.h).
#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "model/ada_layer_norm.h"
#include "model/equal_tokens.h"
#include "model/joint_attention.h"
#include "model/patches.h"
#include "model/row_network.h"
#include "model/time_text_embedding.h"

namespace roundtrip::model {
namespace {

struct Shape {
  int64_t in_channels = 0, out_channels = 0, patch = 1, sample_size = 0, table_side = 0;
  int64_t layers = 0, heads = 0, head_channels = 0, context_channels = 0, pooled_channels = 0;
  std::vector<int64_t> dual_layers = {};
  bool qk_norm = false;

  int64_t channels() const { return heads * head_channels; }
};

Shape read_shape(JsonConfig& config) {
  Shape shape{.in_channels = config.at_least(1, "in_channels", 16),
              .patch = config.at_least(1, "patch_size", 2),
              .sample_size = config.at_least(1, "sample_size", 128),
              .table_side = config.at_least(1, "pos_embed_max_size", 96),
              .layers = config.at_least(1, "num_layers", 18),
              .heads = config.at_least(1, "num_attention_heads", 18),
              .head_channels = config.at_least(1, "attention_head_dim", 64),
              .context_channels = config.at_least(1, "joint_attention_dim", 4096),
              .pooled_channels = config.at_least(1, "pooled_projection_dim", 2048),
              .dual_layers = config.get<std::vector<int64_t>>("dual_attention_layers", {})};
  shape.out_channels = config.find<int64_t>("out_channels").value_or(shape.in_channels);
  if (config.at_least(1, "caption_projection_dim", 1152) != shape.channels()) {
    config.fail("caption_projection_dim", fmt::format("{}, the width of all heads", shape.channels()));
  }
  const auto norm = config.find<std::string>("qk_norm");
  if (norm && *norm != "rms_norm") config.fail("qk_norm", "null or rms_norm");
  shape.qk_norm = norm.has_value();
  config.refuse_unread();
  return shape;
}

struct Block {
  Block(const WeightScope& weights, const Shape& shape, bool is_dual, bool is_last)
      : heads{.heads = shape.heads, .channels = shape.head_channels},
        norm(weights / "norm1", shape.channels(), is_dual ? 9 : 6),
        attention(weights / "attn", shape.channels(), heads, shape.qk_norm, is_last),
        feed_forward(weights / "ff", shape.channels()) {
    if (is_dual) own_attention.emplace(weights / "attn2", shape.channels(), heads, shape.qk_norm);
    if (is_last) {
      last_text_norm.emplace(weights / "norm1_context", shape.channels());
    } else {
      text_norm.emplace(weights / "norm1_context", shape.channels(), 6);
      text_feed_forward.emplace(weights / "ff_context", shape.channels());
    }
  }

  // x [N, T, C], context [N, L, C], bias [L + T] or undefined; context is left as it was by the last block.
  void operator()(Tensor& x, Tensor& context, const Tensor& activated, const Tensor& bias) const {
    const std::vector<Tensor> m = norm(activated);  // shift, scale, gate; of ff; of the second attention
    const std::vector<Tensor> c = text_norm ? (*text_norm)(activated) : std::vector<Tensor>();
    const Tensor normed_context = text_norm ? modulated(context, c[0], c[1]) : (*last_text_norm)(context, activated);
    const auto [attended, attended_context] = attention(modulated(x, m[0], m[1]), normed_context, nullptr, bias);
    const Tensor before = x;
    x = add_gated(x, m[2], attended);
    if (own_attention) x = add_gated(x, m[8], (*own_attention)(modulated(before, m[6], m[7])));
    x = add_gated(x, m[5], feed_forward(modulated(x, m[3], m[4])));
    if (!text_norm) return;
    context = add_gated(context, c[2], attended_context);
    context = add_gated(context, c[5], (*text_feed_forward)(modulated(context, c[3], c[4])));
  }

  HeadShape heads;
  Modulation norm;
  std::optional<Modulation> text_norm;
  std::optional<ContinuousNorm> last_text_norm;
  JointAttention attention;
  std::optional<NormedSelfAttention> own_attention;
  FeedForward feed_forward;
  std::optional<FeedForward> text_feed_forward;
};

class Layers {
 public:
  Layers(const Shape& shape, const WeightScope& weights)
      : shape_(shape),
        patches_(weights / "pos_embed", shape.in_channels, shape.channels(), shape.patch),
        positions_((weights / "pos_embed")
                       .tensor("pos_embed", {1, shape.table_side * shape.table_side, shape.channels()})
                       .view({shape.table_side, shape.table_side, shape.channels()})),
        embedding_(weights / "time_text_embed", shape.pooled_channels, shape.channels(), /*told_guidance=*/false),
        context_(weights / "context_embedder", shape.context_channels, shape.channels()),
        norm_out_(weights / "norm_out", shape.channels()),
        out_(weights / "proj_out", shape.channels(), shape.patch * shape.patch * shape.out_channels) {
    for (int64_t b = 0; b < shape.layers; ++b) {
      const bool is_dual = std::ranges::find(shape.dual_layers, b) != shape.dual_layers.end();
      blocks_.emplace_back(weights / "transformer_blocks" / b, shape, is_dual, b + 1 == shape.layers);
    }
  }

  Tensor operator()(const Tensor& picture, const Tensor& t, const diffusion::Conditioning& given) const {
    const int64_t h = picture.size(2), w = picture.size(3);
    const Tensor activated = embedding_(t, {}, given.pooled);
    Tensor x = patches_(picture) + cropped(h / shape_.patch, w / shape_.patch);
    const FoldedTokens folded = fold_equal_tokens(given.tokens, x.size(1));
    Tensor context = context_(folded.tokens);
    for (const Block& block : blocks_) block(x, context, activated, folded.bias);
    return from_patches(out_(norm_out_(x, activated)), h, w, shape_.patch);
  }

 private:
  Tensor cropped(int64_t h, int64_t w) const {  // [h w, C]
    const int64_t side = shape_.table_side;
    return positions_.narrow(0, (side - h) / 2, h).narrow(1, (side - w) / 2, w).flatten(0, 1);
  }

  Shape shape_;
  PatchEmbedding patches_;
  Tensor positions_;  // [side, side, C]
  TimeTextEmbedding embedding_;
  Linear context_;
  std::vector<Block> blocks_;
  ContinuousNorm norm_out_;
  Linear out_;
};

class Sd3Transformer : public RowNetwork {
 public:
  Sd3Transformer(JsonConfig config, const WeightOpener& weights, at::TensorOptions options)
      : Sd3Transformer(read_shape(config), weights(), options) {}

 private:
  Sd3Transformer(const Shape& shape, WeightSource weights, at::TensorOptions options)
      : RowNetwork({.in_channels = shape.in_channels,
                    .out_channels = shape.out_channels,
                    .sample_size = {shape.sample_size, shape.sample_size},
                    .context_channels = shape.context_channels,
                    .pooled_channels = shape.pooled_channels,
                    .prompts = Prompts::kSd3,
                    .patch = shape.patch,
                    .max_side = shape.table_side * shape.patch,
                    .flow = diffusion::FlowLine::kScheduler},
                   options),
        layers_(shape, WeightScope(weights, options)) {
    refuse_unread(weights);
  }

  Tensor rows(const Tensor& x, const Tensor& t, const diffusion::Conditioning& given) const override {
    return layers_(x, t, given);
  }

  Layers layers_;
};

const Registered<Network, Sd3Transformer> registered({.name = "SD3Transformer2DModel"});

}  // namespace
}  // namespace roundtrip::model
