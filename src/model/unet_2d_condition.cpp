#include "model/unet_2d_condition.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "model/layers.h"
#include "model/row_slices.h"
#include "model/time_embedding.h"
#include "model/unet_blocks.h"

namespace roundtrip::model {
namespace {

// The config as the layers need it.
struct UNetConfig {
  int64_t in_channels, out_channels;
  int64_t kernel_in, kernel_out;
  bool centers_input;
  Sinusoids sinusoids;
  int64_t time_channels;
  int64_t norm_groups;
  double norm_eps;
  int64_t downsample_padding;
  std::vector<StageShape> stages;  // fine to coarse; has_attention is that of the way down
  std::vector<bool> up_attention;  // coarse to fine
  std::optional<StageShape> mid;
};

// Stage types by name: whether they have attention.
bool has_attention(JsonConfig& config, std::string_view key, const std::string& type, const std::string& with,
                   const std::string& without) {
  if (type == with) return true;
  if (type == without) return false;
  config.fail(key, fmt::format("{} or {}", with, without));
}

std::vector<bool> attention_flags(JsonConfig& config, std::string_view key, const std::string& with,
                                  const std::string& without, std::vector<std::string> fallback, size_t stages) {
  const auto types = config.get<std::vector<std::string>>(key, std::move(fallback));
  if (types.size() != stages) config.fail(key, fmt::format("{} names, as block_out_channels has", stages));
  std::vector<bool> flags;
  for (const std::string& type : types) flags.push_back(has_attention(config, key, type, with, without));
  return flags;
}

int64_t positive(JsonConfig& config, std::string_view key, int64_t fallback) {
  const int64_t value = config.get<int64_t>(key, fallback);
  if (value < 1) config.fail(key, "1 or more");
  return value;
}

int64_t odd(JsonConfig& config, std::string_view key, int64_t fallback) {
  const int64_t value = positive(config, key, fallback);
  if (value % 2 == 0) config.fail(key, "an odd number");
  return value;
}

// Keys that ask for arithmetic that is not here, with the values that ask for none; and keys that change
// nothing.
void settle_other_keys(JsonConfig& config) {
  config.refuse_unless("act_fn", {"silu", "swish"});
  config.refuse_unless("addition_embed_type", {nullptr});
  config.refuse_unless("attention_type", {"default"});
  config.refuse_unless("class_embed_type", {nullptr});
  config.refuse_unless("class_embeddings_concat", {false});
  config.refuse_unless("cross_attention_norm", {nullptr});
  config.refuse_unless("dual_cross_attention", {false});
  config.refuse_unless("encoder_hid_dim", {nullptr});
  config.refuse_unless("encoder_hid_dim_type", {nullptr});
  config.refuse_unless("num_attention_heads", {nullptr});
  config.refuse_unless("num_class_embeds", {nullptr});
  config.refuse_unless("resnet_out_scale_factor", {1.0, 1});
  config.refuse_unless("resnet_skip_time_act", {false});
  config.refuse_unless("reverse_transformer_layers_per_block", {nullptr});
  config.refuse_unless("time_cond_proj_dim", {nullptr});
  config.refuse_unless("time_embedding_act_fn", {nullptr});
  config.refuse_unless("time_embedding_type", {"positional"});
  config.refuse_unless("timestep_post_act", {nullptr});
  // upcast_attention guards half precision against overflow in explicit products; the attention here
  // accumulates in float32 anyway. The others belong to the embeddings and blocks refused above.
  config.ignore({"dropout", "upcast_attention", "addition_embed_type_num_heads", "addition_time_embed_dim",
                 "mid_block_only_cross_attention", "projection_class_embeddings_input_dim"});
  config.refuse_unread();
}

void require_divisible(const JsonConfig& config, const StageShape& stage, std::string_view key, int64_t divisor) {
  if (divisor < 1 || stage.channels % divisor != 0) {
    config.fail(key, fmt::format("a divisor of every stage's channels, and one stage has {}", stage.channels));
  }
}

// Null means that there is no middle stage, which an absent key does not.
bool is_null(const JsonConfig& config, std::string_view key) {
  return std::ranges::any_of(config.unread(),
                             [key](const auto& item) { return item.first == key && item.second.is_null(); });
}

std::optional<StageShape> mid_stage(JsonConfig& config, const StageShape& coarsest) {
  StageShape mid = coarsest;
  mid.resnet.output_divisor = config.get<double>("mid_block_scale_factor", 1.0);
  mid.transformer.only_cross_attention = false;  // diffusers does not pass it on to this block
  if (is_null(config, "mid_block_type")) return std::nullopt;
  const auto type = config.get<std::string>("mid_block_type", "UNetMidBlock2DCrossAttn");
  mid.has_attention = has_attention(config, "mid_block_type", type, "UNetMidBlock2DCrossAttn", "UNetMidBlock2D");
  return mid;
}

// One number, or [height, width] of which the height counts; 0 where the config does not say.
int64_t sample_size(JsonConfig& config) {
  if (!config.has("sample_size")) {
    config.ignore({"sample_size"});
    return 0;
  }
  const auto sizes = config.per_block<int64_t>("sample_size", 2, 0);
  if (sizes[0] < 1 || sizes[0] != sizes[1]) config.fail("sample_size", "1 or more, the same in both directions");
  return sizes[0];
}

UNetConfig read_config(JsonConfig& config) {
  UNetConfig unet;
  unet.in_channels = positive(config, "in_channels", 4);
  unet.out_channels = positive(config, "out_channels", 4);
  unet.kernel_in = odd(config, "conv_in_kernel", 3);
  unet.kernel_out = odd(config, "conv_out_kernel", 3);
  unet.centers_input = config.get<bool>("center_input_sample", false);
  unet.norm_groups = positive(config, "norm_num_groups", 32);
  unet.norm_eps = config.get<double>("norm_eps", 1e-5);
  unet.downsample_padding = config.get<int64_t>("downsample_padding", 1);
  if (unet.downsample_padding != 0 && unet.downsample_padding != 1) config.fail("downsample_padding", "0 or 1");

  const auto channels = config.get<std::vector<int64_t>>("block_out_channels", {320, 640, 1280, 1280});
  if (channels.empty()) config.fail("block_out_channels", "one or more stages");
  if (std::ranges::any_of(channels, [](int64_t c) { return c < 1; })) {
    config.fail("block_out_channels", "1 or more channels in each stage");
  }
  const size_t count = channels.size();
  unet.sinusoids = {.channels = channels.front(),
                    .cosine_first = config.get<bool>("flip_sin_to_cos", true),
                    .frequency_shift = config.get<double>("freq_shift", 0.0)};
  unet.time_channels = config.find<int64_t>("time_embedding_dim").value_or(4 * channels.front());

  const std::vector<bool> down =
      attention_flags(config, "down_block_types", "CrossAttnDownBlock2D", "DownBlock2D",
                      {"CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"}, count);
  unet.up_attention =
      attention_flags(config, "up_block_types", "CrossAttnUpBlock2D", "UpBlock2D",
                      {"UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"}, count);

  const auto layers = config.per_block<int64_t>("layers_per_block", count, 2);
  const auto depth = config.per_block<int64_t>("transformer_layers_per_block", count, 1);
  // attention_head_dim holds the number of heads: diffusers named it so and kept it.
  const auto heads = config.per_block<int64_t>("attention_head_dim", count, 8);
  const auto context = config.per_block<int64_t>("cross_attention_dim", count, 1280);
  if (std::ranges::any_of(context, [&](int64_t c) { return c != context.front(); })) {
    config.fail("cross_attention_dim", "one value for all stages: they attend to the same tokens");
  }
  const auto only_cross = config.per_block<bool>("only_cross_attention", count, false);
  config.ignore({"use_linear_projection"});  // proj_in as a matrix or as a 1x1 convolution: the same product
  const auto scaling = config.get<std::string>("resnet_time_scale_shift", "default");
  if (scaling != "default" && scaling != "scale_shift") {
    config.fail("resnet_time_scale_shift", "default or scale_shift");
  }
  for (size_t s = 0; s < count; ++s) {
    StageShape stage{
        .channels = channels[s],
        .layers = layers[s],
        .has_attention = down[s],
        .resnet = {.norm_groups = unet.norm_groups, .norm_eps = unet.norm_eps, .time_scales = scaling == "scale_shift"},
        .transformer = {.heads = heads[s],
                        .context_channels = context[s],
                        .depth = depth[s],
                        .norm_groups = unet.norm_groups,
                        .only_cross_attention = only_cross[s]},
    };
    if (stage.layers < 1) config.fail("layers_per_block", "1 or more");
    if (stage.transformer.depth < 1) config.fail("transformer_layers_per_block", "1 or more");
    if (stage.transformer.context_channels < 1) config.fail("cross_attention_dim", "1 or more");
    require_divisible(config, stage, "norm_num_groups", unet.norm_groups);
    if (down[s] || unet.up_attention[count - 1 - s]) {
      require_divisible(config, stage, "attention_head_dim", heads[s]);
    }
    unet.stages.push_back(stage);
  }

  unet.mid = mid_stage(config, unet.stages.back());
  return unet;
}

std::vector<DownStage> down_stages(const WeightScope& weights, const UNetConfig& config, TimeProjections& times) {
  std::vector<DownStage> stages;
  int64_t in = config.stages.front().channels;
  for (size_t s = 0; s < config.stages.size(); ++s) {
    const bool last = s + 1 == config.stages.size();
    stages.emplace_back(weights / "down_blocks" / s, config.stages[s], in,
                        last ? std::nullopt : std::optional(config.downsample_padding), times);
    in = config.stages[s].channels;
  }
  return stages;
}

// Coarse to fine. A stage has one layer more than its counterpart on the way down: each of that one's layers
// left a skip, and so did the downsampling (at the top: the first convolution) before it.
std::vector<UpStage> up_stages(const WeightScope& weights, const UNetConfig& config, TimeProjections& times) {
  std::vector<UpStage> stages;
  int64_t from_below = config.stages.back().channels;
  for (size_t u = 0; u < config.stages.size(); ++u) {
    const size_t s = config.stages.size() - 1 - u;
    StageShape shape = config.stages[s];
    std::vector<int64_t> skip_channels(shape.layers, shape.channels);
    skip_channels.push_back(config.stages[s == 0 ? 0 : s - 1].channels);
    shape.layers += 1;
    shape.has_attention = config.up_attention[u];
    stages.emplace_back(weights / "up_blocks" / u, shape, from_below, skip_channels, /*upsamples=*/s > 0, times);
    from_below = shape.channels;
  }
  return stages;
}

}  // namespace

struct UNet2DCondition::Layers {
  Layers(const UNetConfig& config, const WeightScope& weights)
      : centers_input(config.centers_input),
        conv_in(weights / "conv_in", config.in_channels, config.stages.front().channels,
                {.kernel = config.kernel_in, .padding = config.kernel_in / 2}),
        time_embedding(weights / "time_embedding", config.sinusoids, config.time_channels),
        times(config.time_channels),
        down(down_stages(weights, config, times)),
        up(up_stages(weights, config, times)),
        norm_out(weights / "conv_norm_out", config.stages.front().channels, config.norm_groups, config.norm_eps),
        conv_out(weights / "conv_out", config.stages.front().channels, config.out_channels,
                 {.kernel = config.kernel_out, .padding = config.kernel_out / 2}) {
    if (config.mid) mid.emplace(weights / "mid_block", *config.mid, times);
    times.finish();
  }

  // x [R, C, H, W] channels_last, t [R], tokens [R, L, D] -> [R, out, H, W]
  Tensor operator()(const Tensor& x, const Tensor& t, const Tensor& tokens) const;

  bool centers_input;
  Conv2d conv_in;
  TimeEmbedding time_embedding;
  TimeProjections times;
  std::vector<DownStage> down;
  std::optional<MidStage> mid;
  std::vector<UpStage> up;
  GroupNorm norm_out;
  Conv2d conv_out;
};

UNet2DCondition::UNet2DCondition(JsonConfig config, WeightSource weights, at::TensorOptions options) {
  const UNetConfig unet = read_config(config);
  const auto attends = [](const StageShape& stage) { return stage.has_attention; };
  const bool any_attention = std::ranges::any_of(unet.stages, attends) || (unet.mid && unet.mid->has_attention) ||
                             std::ranges::find(unet.up_attention, true) != unet.up_attention.end();
  facts_ = {.in_channels = unet.in_channels,
            .out_channels = unet.out_channels,
            .sample_size = sample_size(config),
            .context_channels = any_attention ? unet.stages.front().transformer.context_channels : 0};
  settle_other_keys(config);
  layers_ = std::make_unique<const Layers>(unet, WeightScope(weights, options));
  refuse_unread(weights);
}

UNet2DCondition::~UNet2DCondition() = default;

Tensor UNet2DCondition::Layers::operator()(const Tensor& x, const Tensor& t, const Tensor& tokens) const {
  const Signals signals{.context = tokens, .times = times(time_embedding(t))};
  Tensor h = conv_in(centers_input ? 2 * x - 1 : x);
  std::vector<Tensor> skips{h};
  for (const DownStage& stage : down) h = stage(std::move(h), signals, skips);
  if (mid) h = (*mid)(std::move(h), signals);
  for (const UpStage& stage : up) h = stage(std::move(h), signals, skips);
  return conv_out(silu(norm_out(h))).contiguous();
}

Tensor UNet2DCondition::eps(const Tensor& x, const Tensor& t, const diffusion::Conditioning& conditioning) {
  const at::TensorOptions options = layers_->conv_in.weight.options();
  const Tensor picture = x.to(options).contiguous(at::MemoryFormat::ChannelsLast);
  const Tensor times = t.to(options.device());
  const bool attends = facts_.context_channels > 0;
  check(!attends || conditioning.tokens.defined(), "a network that attends to text is given tokens");
  const Tensor tokens = attends ? conditioning.tokens.to(options) : Tensor();

  const Tensor predicted = in_row_slices(x.size(0), options.device(), [&](int64_t from, int64_t count) {
    return (*layers_)(picture.narrow(0, from, count), times.narrow(0, from, count),
                      attends ? tokens.narrow(0, from, count) : tokens);
  });
  return predicted.to(x.options());
}

}  // namespace roundtrip::model
