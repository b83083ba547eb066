#include "model/clip_text.h"

#include <string>
#include <utility>

#include "base/error.h"

namespace roundtrip::model {
namespace {

// Configs older than transformers 4.31 wrongly name this as the end token; they mean the token of the highest id.
constexpr int64_t kWrongEndId = 2;
constexpr int64_t kEndId = 49407;

constexpr AttentionNames kNames{.q = "q_proj", .k = "k_proj", .v = "v_proj", .out = "out_proj"};

// transformers 5 writes the names without the prefix, older versions with it.
WeightScope text_model(WeightSource& weights, at::TensorOptions options) {
  WeightScope scope(weights, options);
  const WeightScope prefixed = scope / "text_model";
  return prefixed.contains("final_layer_norm.weight") ? prefixed : scope;
}

}  // namespace

ClipText::ClipText(JsonConfig config, WeightSource weights, at::TensorOptions options)
    : channels_(config.at_least(1, "hidden_size", 512)),
      max_length_(config.at_least(1, "max_position_embeddings", 77)),
      vocabulary_(config.at_least(1, "vocab_size", 49408)) {
  const int64_t hidden = config.at_least(1, "intermediate_size", 2048);
  const int64_t depth = config.at_least(1, "num_hidden_layers", 12);
  const int64_t heads = config.at_least(1, "num_attention_heads", 8);
  if (channels_ % heads != 0) config.fail("num_attention_heads", "a divisor of hidden_size");
  const double eps = config.get<double>("layer_norm_eps", 1e-5);
  const auto activation = config.get<std::string>("hidden_act", "quick_gelu");
  if (activation != "quick_gelu" && activation != "gelu") config.fail("hidden_act", "quick_gelu or gelu");
  activation_ = activation == "gelu" ? Activation::kGelu : Activation::kQuickGelu;
  config.refuse_unless("model_type", {"clip_text_model"});
  end_id_ = config.find<int64_t>("eos_token_id").value_or(kEndId);
  const auto projected = config.get<int64_t>("projection_dim", 512);
  const auto classes = config.find<std::vector<std::string>>("architectures");
  const bool projects = classes && classes->size() == 1 && classes->front() == "CLIPTextModelWithProjection";
  if (projects && projected < 1) config.fail("projection_dim", "1 or more");
  // Keys of training and bookkeeping.
  config.ignore({"attention_dropout", "bos_token_id", "dropout", "dtype", "initializer_factor", "initializer_range",
                 "output_attentions", "output_hidden_states", "pad_token_id", "return_dict", "torch_dtype",
                 "transformers_version", "use_cache"});
  config.refuse_unread();

  const WeightScope scope = text_model(weights, options);
  const WeightScope embeddings = scope / "embeddings";
  token_embedding_ = embeddings.tensor("token_embedding.weight", {vocabulary_, channels_});
  position_embedding_ = embeddings.tensor("position_embedding.weight", {max_length_, channels_});
  for (int64_t l = 0; l < depth; ++l) {
    const WeightScope layer = scope / "encoder" / "layers" / l;
    layers_.push_back(
        {.norm1 = LayerNorm(layer / "layer_norm1", channels_, eps),
         .norm2 = LayerNorm(layer / "layer_norm2", channels_, eps),
         .attention = SelfAttention(layer / "self_attn", kNames, channels_,
                                    {.heads = heads, .channels = channels_ / heads}, /*has_bias=*/true, Mask::kCausal),
         .fc1 = Linear(layer / "mlp" / "fc1", channels_, hidden),
         .fc2 = Linear(layer / "mlp" / "fc2", hidden, channels_)});
  }
  final_norm_ = LayerNorm(scope / "final_layer_norm", channels_, eps);
  if (projects) {
    projection_.emplace(WeightScope(weights, options) / "text_projection", channels_, projected, /*has_bias=*/false);
  }
  weights.ignore("embeddings.position_ids");  // 0, 1, 2 ...: a buffer saved by old writers
  weights.ignore("text_model.embeddings.position_ids");
  refuse_unread(weights);
}

Tensor ClipText::end_positions(const Tensor& ids) const {
  return end_id_ == kWrongEndId ? ids.argmax(1) : ids.eq(end_id_).to(at::kInt).argmax(1);
}

ClipText::Output ClipText::operator()(const Tensor& ids) const {
  check(ids.dim() == 2 && ids.size(1) <= max_length_, "token ids fit the text encoder");
  Tensor x = at::embedding(token_embedding_, ids) + position_embedding_.narrow(0, 0, ids.size(1));  // [N, L, D]
  Output output;
  for (const Layer& layer : layers_) {
    output.penultimate = x;
    x = x + layer.attention(layer.norm1(x));
    x = x + layer.fc2(activate(activation_, layer.fc1(layer.norm2(x))));
  }
  output.last = final_norm_(x);
  output.end = output.last.index({at::arange(ids.size(0), ids.options()), end_positions(ids)});
  if (projection_) output.pooled = (*projection_)(output.end);
  return output;
}

}  // namespace roundtrip::model
