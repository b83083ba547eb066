#include "model/unet_2d_condition.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "model/unet_config.h"

namespace roundtrip::model {
namespace {

using Attention = StageType::Attention;
using Depths = std::vector<std::vector<int64_t>>;  // transformer blocks, by stage and layer

int64_t read_odd(JsonConfig& config, std::string_view key, int64_t fallback) {
  const int64_t value = read_positive(config, key, fallback);
  if (value % 2 == 0) config.fail(key, "an odd number");
  return value;
}

std::optional<Activation> find_activation(JsonConfig& config, std::string_view key) {
  if (!config.find<std::string>(key)) return std::nullopt;
  return read_activation(config, key);
}

// Refuses keys that request arithmetic which is not implemented, and ignores those that change nothing.
void check_other_keys(JsonConfig& config) {
  config.refuse_unless("attention_type", {"default"});
  config.refuse_unless("class_embed_type", {nullptr});
  config.refuse_unless("class_embeddings_concat", {false});
  config.refuse_unless("cross_attention_norm", {nullptr});
  config.refuse_unless("dual_cross_attention", {false});
  config.refuse_unless("num_attention_heads", {nullptr});
  config.refuse_unless("num_class_embeds", {nullptr});
  config.refuse_unless("resnet_skip_time_act", {false});
  config.refuse_unless("time_embedding_type", {"positional"});
  // upcast_attention guards half precision against overflow in explicit products; the attention here accumulates in
  // float32 anyway. use_linear_projection chooses between a matrix and a 1x1 convolution, which give the same product.
  // The others belong to embeddings and blocks that are refused.
  config.ignore({"dropout", "upcast_attention", "use_linear_projection", "addition_embed_type_num_heads",
                 "mid_block_only_cross_attention"});
  config.refuse_unread();
}

// Keys of attention. Only keys that the type of a stage reads are checked.
struct AttentionKeys {
  std::vector<int64_t> heads;    // attention_head_dim, diffusers' old name for the number of heads
  std::vector<int64_t> context;  // cross_attention_dim
  std::vector<bool> only_cross;

  // `place` is the stage's index in its own list of types. For stages that attend to their own pixels,
  // attention_head_dim holds what its name says and is not mirrored for the way up.
  void attend(const JsonConfig& config, const UNetShape& shape, Attention kind, size_t s, size_t place,
              StageShape& stage) const {
    if (kind == Attention::kNone) return;
    const int64_t head_key = heads[kind == Attention::kSelf ? place : s];
    if (head_key < 1 || head_key > stage.channels) {
      config.fail("attention_head_dim",
                  fmt::format("1 to {}, the channels of the stage that reads it", stage.channels));
    }
    if (kind == Attention::kSelf) {
      stage.attention =
          AttentionBlockShape{.head_channels = head_key, .norm_groups = shape.norm_groups, .norm_eps = shape.norm_eps};
      return;
    }
    if (context[s] < 1) config.fail("cross_attention_dim", "1 or more");
    stage.attention = TransformerShape{.heads = head_key,
                                       .context_channels = context[s],
                                       .norm_groups = shape.norm_groups,
                                       .only_cross_attention = only_cross[s]};
  }
};

std::optional<StageShape> read_mid(JsonConfig& config, const AttentionKeys& keys, const UNetShape& shape,
                                   int64_t depth) {
  StageShape mid = shape.down.back();
  mid.resampler = Resampler::kNone;
  mid.attention = {};
  mid.resnet.output_divisor = config.get<double>("mid_block_scale_factor", 1.0);
  if (mid.resnet.output_divisor == 0) config.fail("mid_block_scale_factor", "a number other than 0");
  if (is_null(config, "mid_block_type")) return std::nullopt;
  const auto type = config.get<std::string>("mid_block_type", "UNetMidBlock2DCrossAttn");
  if (type == "UNetMidBlock2DCrossAttn") {
    mid.depths = {depth};
    const size_t last = shape.down.size() - 1;
    keys.attend(config, shape, Attention::kText, last, last, mid);
    // diffusers does not pass only_cross_attention to this block.
    std::get<TransformerShape>(mid.attention).only_cross_attention = false;
  } else if (type == "UNetMidBlock2D") {
    mid.depths = {};
  } else {
    config.fail("mid_block_type", "UNetMidBlock2DCrossAttn or UNetMidBlock2D");
  }
  return mid;
}

// Depths down, from fine to coarse, and up, from coarse to fine with one more layer in each stage.
void read_depths(JsonConfig& config, const std::vector<int64_t>& layers, Depths& down, Depths& up) {
  constexpr std::string_view kKey = "transformer_layers_per_block", kUpKey = "reverse_transformer_layers_per_block";
  down = config.per_layer<int64_t>(kKey, layers, 1);
  std::vector<int64_t> up_layers(layers.rbegin(), layers.rend());
  for (int64_t& count : up_layers) ++count;
  if (config.has(kUpKey)) {
    up = config.per_layer<int64_t>(kUpKey, up_layers, 1);
  } else {
    config.ignore({kUpKey});
    for (size_t u = 0; u < up_layers.size(); ++u) {
      const std::vector<int64_t>& mirrored = down[down.size() - 1 - u];
      if (std::ranges::any_of(mirrored, [&](int64_t depth) { return depth != mirrored.front(); })) {
        config.fail(kUpKey, "a list, as transformer_layers_per_block differs within a block");
      }
      up.emplace_back(up_layers[u], mirrored.front());
    }
  }
  for (const Depths* depths : {&down, &up}) {
    for (const std::vector<int64_t>& block : *depths) {
      if (std::ranges::any_of(block, [](int64_t depth) { return depth < 0; })) config.fail(kKey, "0 or more");
    }
  }
}

// Reads the tokens that stages attend to, and a projection that brings other tokens to their width.
void read_context(JsonConfig& config, UNetShape& shape) {
  std::optional<int64_t> width;
  std::vector<const StageShape*> stages;
  for (const StageShape& stage : shape.down) stages.push_back(&stage);
  for (const StageShape& stage : shape.up) stages.push_back(&stage);
  if (shape.mid) stages.push_back(&*shape.mid);
  for (const StageShape* stage : stages) {
    if (!stage->reads_text()) continue;
    const int64_t found = std::get<TransformerShape>(stage->attention).context_channels;
    if (width && found != *width) {
      config.fail("cross_attention_dim", "one value for all stages: they attend to the same tokens");
    }
    width = found;
  }
  const auto projection = config.find<std::string>("encoder_hid_dim_type");
  const auto from = config.find<int64_t>("encoder_hid_dim");
  if (projection && *projection != "text_proj") config.fail("encoder_hid_dim_type", "null or text_proj");
  if (projection && !from) config.fail("encoder_hid_dim_type", "an encoder_hid_dim beside it");
  if (from && *from < 1) config.fail("encoder_hid_dim", "1 or more");
  if (from && !width) config.fail("encoder_hid_dim", "null, as no stage attends to text");
  shape.context_channels = from.value_or(width.value_or(0));
  if (from) shape.projected_tokens = *width;
}

// Reads the embedding of the six size ids and of the pooled text, which takes the rest of the layers' input.
void read_added(JsonConfig& config, UNetShape& shape) {
  const auto type = config.find<std::string>("addition_embed_type");
  const auto time = config.find<int64_t>("addition_time_embed_dim");
  const auto input = config.find<int64_t>("projection_class_embeddings_input_dim");
  if (!type) return;
  if (*type != "text_time") config.fail("addition_embed_type", "null or text_time");
  if (!time || *time < 1) config.fail("addition_time_embed_dim", "1 or more, for addition_embed_type text_time");
  const int64_t pooled = input.value_or(0) - 6 * *time;
  if (pooled < 1) {
    config.fail("projection_class_embeddings_input_dim",
                fmt::format("more than {}, the size ids' six sinusoids of {}", 6 * *time, *time));
  }
  Sinusoids sinusoids = std::get<Sinusoids>(shape.times);
  sinusoids.channels = *time;
  shape.added = {.sinusoids = sinusoids, .pooled_channels = pooled};
}

}  // namespace

UNetShape read_unet_2d_condition(JsonConfig config) {
  const UNetDefaults defaults{
      .channels = 4,
      .block_channels = {320, 640, 1280, 1280},
      .down_types = {"CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"},
      .up_types = {"UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"}};
  UNetOutline outline = read_unet_outline(config, defaults);
  UNetShape& shape = outline.shape;
  shape.kernel_in = read_odd(config, "conv_in_kernel", 3);
  shape.kernel_out = read_odd(config, "conv_out_kernel", 3);
  shape.activation_out = shape.embedding_activation = shape.activation;
  shape.embedding_last = find_activation(config, "timestep_post_act");
  shape.embedding_sum = find_activation(config, "time_embedding_act_fn");
  if (const auto channels = config.find<int64_t>("time_cond_proj_dim")) {
    if (*channels < 4) config.fail("time_cond_proj_dim", "null, or 4 or more sinusoids of the guidance scale");
    shape.guidance_channels = *channels;
  }

  const size_t count = shape.down.size();
  const AttentionKeys keys{.heads = config.per_block<int64_t>("attention_head_dim", count, 8),
                           .context = config.per_block<int64_t>("cross_attention_dim", count, 1280),
                           .only_cross = config.per_block<bool>("only_cross_attention", count, false)};
  Depths down_depths, up_depths;
  read_depths(config, outline.layers, down_depths, up_depths);
  const auto divisor = config.get<double>("resnet_out_scale_factor", 1.0);  // read by resampling residual blocks
  if (divisor == 0) config.fail("resnet_out_scale_factor", "a number other than 0");
  for (size_t s = 0; s < count; ++s) {
    const size_t u = count - 1 - s;
    StageShape &down = shape.down[s], &up = shape.up[u];
    down.depths = down_depths[s];
    up.depths = up_depths[u];
    if (outline.down[s].resnet_resampler) down.resnet.output_divisor = divisor;
    if (outline.up[u].resnet_resampler) up.resnet.output_divisor = divisor;
    keys.attend(config, shape, outline.down[s].attention, s, s, down);
    keys.attend(config, shape, outline.up[u].attention, s, u, up);
  }
  shape.mid = read_mid(config, keys, shape, down_depths.back().front());
  read_context(config, shape);
  read_added(config, shape);
  check_other_keys(config);
  return shape;
}

namespace {

class UNet2DConditionModel : public UNet {
 public:
  UNet2DConditionModel(JsonConfig config, const WeightOpener& weights, at::TensorOptions options)
      : UNet2DConditionModel(read_unet_2d_condition(std::move(config)), weights, options) {}

 private:
  UNet2DConditionModel(const UNetShape& shape, const WeightOpener& weights, at::TensorOptions options)
      : UNet(shape, weights(), options) {}
};

const Registered<Network, UNet2DConditionModel> registered({.name = "UNet2DConditionModel"});

}  // namespace

}  // namespace roundtrip::model
