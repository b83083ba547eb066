#include "model/t5_encoder.h"

#include <cmath>
#include <utility>

#include "base/error.h"

namespace roundtrip::model {
namespace {

Linear unbiased(const WeightScope& weights, int64_t in, int64_t out) { return {weights, in, out, /*has_bias=*/false}; }

}  // namespace

Tensor distance_buckets(int64_t length, int64_t buckets, int64_t max_distance, at::Device device) {
  const int64_t half = buckets / 2, exact = half / 2;
  const Tensor positions = at::arange(length, at::dtype(at::kLong).device(device));
  const Tensor distance = positions.unsqueeze(0) - positions.unsqueeze(1);  // key - query
  const Tensor size = distance.abs();
  // In float32, as transformers does: distances at the border of two buckets depend on it.
  const Tensor share = at::log(size.to(at::kFloat) / exact) / std::log(static_cast<double>(max_distance) / exact);
  const Tensor logarithmic = (exact + (share * (half - exact)).to(at::kLong)).clamp_max(half - 1);
  return at::where(distance > 0, half, 0) + at::where(size < exact, size, logarithmic);
}

T5Encoder::T5Encoder(JsonConfig config, WeightSource weights, at::TensorOptions options)
    : channels_(config.at_least(1, "d_model", 512)),
      vocabulary_(config.at_least(1, "vocab_size", 32128)),
      heads_(config.at_least(1, "num_heads", 8)),
      head_channels_(config.at_least(1, "d_kv", 64)),
      buckets_(config.at_least(4, "relative_attention_num_buckets", 32)),
      max_distance_(config.at_least(1, "relative_attention_max_distance", 128)) {
  const int64_t hidden = config.at_least(1, "d_ff", 2048), depth = config.at_least(1, "num_layers", 6);
  if (max_distance_ <= buckets_ / 4) {
    config.fail("relative_attention_max_distance", fmt::format("more than {}, the exact buckets", buckets_ / 4));
  }
  const double eps = config.get<double>("layer_norm_epsilon", 1e-6);
  const auto feed_forward = config.get<std::string>("feed_forward_proj", "relu");
  if (feed_forward != "gated-gelu" && feed_forward != "relu") config.fail("feed_forward_proj", "gated-gelu or relu");
  is_gated_ = feed_forward == "gated-gelu";
  config.refuse_unless("dense_act_fn", {is_gated_ ? "gelu_new" : "relu"});
  config.refuse_unless("is_gated_act", {is_gated_});
  config.refuse_unless("model_type", {"t5"});
  config.refuse_unless("is_decoder", {false});
  // Keys of the decoder, of training and bookkeeping.
  config.ignore({"architectures", "classifier_dropout", "decoder_start_token_id", "dropout_rate", "dtype",
                 "eos_token_id", "initializer_factor", "is_encoder_decoder", "n_positions", "num_decoder_layers",
                 "output_past", "pad_token_id", "scale_decoder_outputs", "task_specific_params", "tie_word_embeddings",
                 "torch_dtype", "transformers_version", "use_cache"});
  config.refuse_unread();

  const WeightScope scope(weights, options);
  const bool is_half = at::isReducedFloatingType(options.dtype().toScalarType());
  const WeightScope wide(weights, is_half ? options.dtype(at::kFloat) : options);
  const char* table = scope.contains("shared.weight") ? "shared.weight" : "encoder.embed_tokens.weight";
  embedding_ = scope.tensor(table, {vocabulary_, channels_});
  weights.ignore("encoder.embed_tokens.weight");  // the same table, which some writers store under both names
  const int64_t inner = heads_ * head_channels_;
  for (int64_t l = 0; l < depth; ++l) {
    const WeightScope block = scope / "encoder" / "block" / l / "layer";
    const WeightScope attention = block / 0 / "SelfAttention", dense = block / 1 / "DenseReluDense";
    const WeightScope wide_dense = wide / "encoder" / "block" / l / "layer" / 1 / "DenseReluDense";
    Layer& layer = layers_.emplace_back();
    layer.attention_norm = RmsNorm(block / 0 / "layer_norm", channels_, eps);
    layer.qkv =
        Linear::concatenated({unbiased(attention / "q", channels_, inner), unbiased(attention / "k", channels_, inner),
                              unbiased(attention / "v", channels_, inner)});
    layer.attention_out = unbiased(attention / "o", inner, channels_);
    layer.feed_forward_norm = RmsNorm(block / 1 / "layer_norm", channels_, eps);
    if (is_gated_) {
      layer.in = {unbiased(dense / "wi_0", channels_, hidden), unbiased(dense / "wi_1", channels_, hidden)};
    } else {
      layer.in = {unbiased(dense / "wi", channels_, hidden)};
    }
    layer.out = unbiased(wide_dense / "wo", hidden, channels_);
    if (l == 0) distance_biases_ = attention.tensor("relative_attention_bias.weight", {buckets_, heads_});
  }
  final_norm_ = RmsNorm(scope / "encoder" / "final_layer_norm", channels_, eps);
  refuse_unread(weights);
}

Tensor T5Encoder::bias(int64_t length) const {
  const Tensor buckets = distance_buckets(length, buckets_, max_distance_, distance_biases_.device());
  return at::embedding(distance_biases_, buckets).permute({2, 0, 1}).unsqueeze(0).contiguous();
}

Tensor T5Encoder::attended(const Layer& layer, const Tensor& x, const Tensor& bias) const {
  const std::vector<Tensor> heads =
      layer.qkv(layer.attention_norm(x)).unflatten(2, {3, heads_, head_channels_}).permute({2, 0, 3, 1, 4}).unbind(0);
  return layer.attention_out(at::scaled_dot_product_attention(heads[0], heads[1], heads[2], bias, 0.0, false,
                                                              /*scale=*/1.0)
                                 .transpose(1, 2)
                                 .flatten(2));
}

Tensor T5Encoder::fed_forward(const Layer& layer, const Tensor& x) const {
  const Tensor normed = layer.feed_forward_norm(x);
  Tensor wide = is_gated_ ? multiply(gelu_tanh(layer.in[0](normed)), layer.in[1](normed))
                          : activate(Activation::kRelu, layer.in[0](normed));
  return layer.out(wide.to(layer.out.weight.scalar_type()));
}

Tensor T5Encoder::operator()(const Tensor& ids) const {
  Tensor x = at::embedding(embedding_, ids);
  const Tensor distances = bias(ids.size(1));
  for (const Layer& layer : layers_) {
    x = x + attended(layer, x, distances);
    x = (x + fed_forward(layer, x)).to(x.scalar_type());
  }
  return final_norm_(x);
}

}  // namespace roundtrip::model
