// DiT, a transformer of classes (Peebles & Xie, "Scalable diffusion models with transformers", ICCV 2023; diffusers'
// DiTTransformer2DModel, 0.42, which older folders call Transformer2DModel). It predicts eps, and a variance that is
// dropped here.
//
// Each block has an embedding of time and class of its own; the output takes the first block's. The label after the
// last class is the null label. diffusers takes square latents only, and so does this.
#include <algorithm>
#include <utility>
#include <vector>

#include "model/ada_layer_norm.h"
#include "model/joint_attention.h"
#include "model/patches.h"
#include "model/row_network.h"
#include "model/time_text_embedding.h"

namespace roundtrip::model {
namespace {

struct Shape {
  int64_t in_channels = 0, out_channels = 0, patch = 1, sample_size = 0;
  int64_t layers = 0, heads = 0, head_channels = 0, classes = 0;
  double norm_eps = 1e-5;
  bool attention_bias = true;

  int64_t channels() const { return heads * head_channels; }
};

Shape read_shape(JsonConfig& config, bool is_general) {
  Shape shape{.in_channels = config.at_least(1, "in_channels", 4),
              .patch = config.at_least(1, "patch_size", 2),
              .sample_size = config.at_least(1, "sample_size", 32),
              .layers = config.at_least(1, "num_layers", is_general ? 1 : 28),
              .heads = config.at_least(1, "num_attention_heads", 16),
              .head_channels = config.at_least(1, "attention_head_dim", is_general ? 88 : 72),
              .classes = config.at_least(1, "num_embeds_ada_norm", 1000),
              .norm_eps = config.get<double>("norm_eps", 1e-5),
              .attention_bias = config.get<bool>("attention_bias", !is_general)};
  shape.out_channels = config.find<int64_t>("out_channels").value_or(shape.in_channels);
  if (shape.out_channels < shape.in_channels) {
    config.fail("out_channels", fmt::format("at least in_channels, {}", shape.in_channels));
  }
  if (shape.channels() % 4 != 0) config.fail("attention_head_dim", "a width of all heads that 4 divides");
  if (is_general && config.get<std::string>("norm_type", "layer_norm") != "ada_norm_zero") {
    config.fail("norm_type", "ada_norm_zero (DiT); PixArt and other uses of this class are not implemented");
  }
  config.refuse_unless("norm_type", {"ada_norm_zero"});
  if (is_general) {
    config.refuse_unless("attention_type", {"default"});
    const double scale = std::max<int64_t>(shape.sample_size / 64, 1);  // of positions, if the config gives none
    if (config.find<double>("interpolation_scale").value_or(scale) != 1) config.fail("interpolation_scale", "1");
  }
  config.refuse_unless("activation_fn", {"gelu-approximate"});
  config.refuse_unless("norm_elementwise_affine", {false});
  config.refuse_unless("upcast_attention", {false});
  config.ignore({"dropout", "norm_num_groups"});
  config.refuse_unread();
  return shape;
}

// The embedding of a timestep and a class label [N, C], after silu.
struct TimeClassEmbedding {
  EmbeddingLayers time;
  Tensor classes;  // [classes + 1, C]

  TimeClassEmbedding(const WeightScope& weights, const Shape& shape)
      : time(weights / "timestep_embedder", kTimeChannels, shape.channels()),
        classes((weights / "class_embedder").tensor("embedding_table.weight", {shape.classes + 1, shape.channels()})) {}

  Tensor operator()(const Tensor& t, const Tensor& label) const {
    const Sinusoids sinusoids{.channels = kTimeChannels, .frequency_shift = 1};
    return silu(time(sinusoids(t)) + classes.index_select(0, label));
  }
};

struct Block {
  TimeClassEmbedding embedding;
  Modulation norm;
  HeadProjections projections;
  Linear attention_out;
  FeedForward feed_forward;
  double norm_eps;

  Block(const WeightScope& weights, const Shape& shape)
      : embedding(weights / "norm1" / "emb", shape),
        norm(weights / "norm1", shape.channels(), 6),
        projections(weights / "attn1", kPictureNames, shape.channels(),
                    {.heads = shape.heads, .channels = shape.head_channels}, /*normed=*/false, shape.attention_bias),
        attention_out(weights / "attn1" / "to_out.0", shape.channels(), shape.channels()),
        feed_forward(weights / "ff", shape.channels()),
        norm_eps(shape.norm_eps) {}

  Tensor operator()(Tensor x, const Tensor& t, const Tensor& label) const {
    const std::vector<Tensor> m = norm(embedding(t, label));  // shift, scale, gate; of ff
    x = add_gated(x, m[2], attention_out(attend(projections(modulated(x, m[0], m[1])))));
    return add_gated(x, m[5], feed_forward(modulated(x, m[3], m[4], norm_eps)));
  }
};

class Layers {
 public:
  Layers(const Shape& shape, const WeightScope& weights)
      : shape_(shape),
        patches_(weights / "pos_embed", shape.in_channels, shape.channels(), shape.patch),
        modulation_out_(weights / "proj_out_1", shape.channels(), 2 * shape.channels()),
        out_(weights / "proj_out_2", shape.channels(), shape.patch * shape.patch * shape.out_channels) {
    for (int64_t b = 0; b < shape.layers; ++b) blocks_.emplace_back(weights / "transformer_blocks" / b, shape);
  }

  Tensor operator()(const Tensor& picture, const Tensor& t, const Tensor& label) const {
    const int64_t h = picture.size(2), w = picture.size(3), patch = shape_.patch;
    Tensor x = patches_(picture);
    x = x + sincos_positions(shape_.channels(), h / patch, w / patch, shape_.sample_size / patch, x.device())
                .to(x.scalar_type());
    for (const Block& block : blocks_) x = block(std::move(x), t, label);
    const std::vector<Tensor> m = modulation_out_(blocks_.front().embedding(t, label)).unsqueeze(1).chunk(2, 2);
    return from_patches(out_(modulated(x, m[0], m[1])), h, w, patch).narrow(1, 0, shape_.in_channels).contiguous();
  }

 private:
  Shape shape_;
  PatchEmbedding patches_;
  std::vector<Block> blocks_;
  Linear modulation_out_, out_;
};

class DitTransformer : public RowNetwork {
 public:
  DitTransformer(JsonConfig config, const WeightOpener& weights, at::TensorOptions options)
      : DitTransformer(std::move(config), weights, options, /*is_general=*/false) {}

 protected:
  DitTransformer(JsonConfig config, const WeightOpener& weights, at::TensorOptions options, bool is_general)
      : DitTransformer(read_shape(config, is_general), weights(), options) {}

 private:
  DitTransformer(const Shape& shape, WeightSource weights, at::TensorOptions options)
      : RowNetwork({.in_channels = shape.in_channels,
                    .out_channels = shape.in_channels,
                    .sample_size = {shape.sample_size, shape.sample_size},
                    .prompts = Prompts::kClasses,
                    .classes = shape.classes,
                    .patch = shape.patch,
                    .square = true},
                   options),
        layers_(shape, WeightScope(weights, options)) {
    weights.ignore("pos_embed.pos_embed");  // a table that is computed here, saved by old writers
    refuse_unread(weights);
  }

  Tensor rows(const Tensor& x, const Tensor& t, const diffusion::Conditioning& given) const override {
    return layers_(x, t, given.label);
  }

  Layers layers_;
};

// diffusers' general class of transformers, which DiT's folders named before its own class came.
class Transformer2D : public DitTransformer {
 public:
  Transformer2D(JsonConfig config, const WeightOpener& weights, at::TensorOptions options)
      : DitTransformer(std::move(config), weights, options, /*is_general=*/true) {}
};

const Registered<Network, DitTransformer> dit({.name = "DiTTransformer2DModel"});
const Registered<Network, Transformer2D> general({.name = "Transformer2DModel"});

}  // namespace
}  // namespace roundtrip::model
