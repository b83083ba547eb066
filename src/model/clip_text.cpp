#include "model/clip_text.h"

#include <string>
#include <utility>

#include "base/error.h"

namespace roundtrip::model {
namespace {

constexpr AttentionNames kNames{.q = "q_proj", .k = "k_proj", .v = "v_proj", .out = "out_proj"};

// transformers 5 writes the names without the prefix, older versions with it.
WeightScope text_model(WeightSource& weights, at::TensorOptions options) {
  WeightScope scope(weights, options);
  const WeightScope prefixed = scope / "text_model";
  return prefixed.contains("final_layer_norm.weight") ? prefixed : scope;
}

int64_t positive(JsonConfig& config, std::string_view key, int64_t fallback) {
  const int64_t value = config.get<int64_t>(key, fallback);
  if (value < 1) config.fail(key, "1 or more");
  return value;
}

}  // namespace

ClipText::ClipText(JsonConfig config, WeightSource weights, at::TensorOptions options)
    : channels_(positive(config, "hidden_size", 512)),
      max_length_(positive(config, "max_position_embeddings", 77)),
      vocabulary_(positive(config, "vocab_size", 49408)) {
  const int64_t hidden = positive(config, "intermediate_size", 2048);
  const int64_t depth = positive(config, "num_hidden_layers", 12);
  const int64_t heads = positive(config, "num_attention_heads", 8);
  if (channels_ % heads != 0) config.fail("num_attention_heads", "a divisor of hidden_size");
  const double eps = config.get<double>("layer_norm_eps", 1e-5);
  const auto activation = config.get<std::string>("hidden_act", "quick_gelu");
  if (activation != "quick_gelu" && activation != "gelu") config.fail("hidden_act", "quick_gelu or gelu");
  activation_ = activation == "gelu" ? Activation::kGelu : Activation::kQuickGelu;
  config.refuse_unless("model_type", {"clip_text_model"});
  // The pooled vector, training and bookkeeping.
  config.ignore({"architectures", "attention_dropout", "bos_token_id", "dropout", "dtype", "eos_token_id",
                 "initializer_factor", "initializer_range", "pad_token_id", "projection_dim", "torch_dtype",
                 "transformers_version"});
  config.refuse_unread();

  const WeightScope scope = text_model(weights, options);
  const WeightScope embeddings = scope / "embeddings";
  token_embedding_ = embeddings.tensor("token_embedding.weight", {vocabulary_, channels_});
  position_embedding_ = embeddings.tensor("position_embedding.weight", {max_length_, channels_});
  for (int64_t l = 0; l < depth; ++l) {
    const WeightScope layer = scope / "encoder" / "layers" / l;
    layers_.push_back({.norm1 = LayerNorm(layer / "layer_norm1", channels_, eps),
                       .norm2 = LayerNorm(layer / "layer_norm2", channels_, eps),
                       .attention = SelfAttention(layer / "self_attn", kNames, channels_, heads,
                                                  /*has_bias=*/true, Mask::kCausal),
                       .fc1 = Linear(layer / "mlp" / "fc1", channels_, hidden),
                       .fc2 = Linear(layer / "mlp" / "fc2", hidden, channels_)});
  }
  final_norm_ = LayerNorm(scope / "final_layer_norm", channels_, eps);
  weights.ignore("embeddings.position_ids");  // 0, 1, 2 ...: a buffer that old writers saved
  weights.ignore("text_model.embeddings.position_ids");
  refuse_unread(weights);
}

Tensor ClipText::operator()(const Tensor& ids) const {
  check(ids.dim() == 2 && ids.size(1) <= max_length_, "token ids fit the text encoder");
  Tensor x = at::embedding(token_embedding_, ids) + position_embedding_.narrow(0, 0, ids.size(1));  // [N, L, D]
  for (const Layer& layer : layers_) {
    x = x + layer.attention(layer.norm1(x));
    const Tensor hidden = layer.fc1(layer.norm2(x));
    x = x + layer.fc2(activation_ == Activation::kGelu ? at::gelu(hidden) : quick_gelu(hidden));
  }
  return final_norm_(x);
}

}  // namespace roundtrip::model
