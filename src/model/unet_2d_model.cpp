#include "model/unet_2d_model.h"

#include <optional>
#include <string>

#include <fmt/format.h>

#include "model/unet_config.h"

namespace roundtrip::model {
namespace {

using Attention = StageType::Attention;

// Reads "conv" or "resnet", which only stages with attention follow.
bool resamples_by_resnet(JsonConfig& config, std::string_view key) {
  const auto type = config.find<std::string>(key).value_or("conv");
  if (type != "conv" && type != "resnet") config.fail(key, "conv or resnet");
  return type == "resnet";
}

void attend(JsonConfig& config, const UNetShape& shape, std::optional<int64_t> head_channels, std::string_view key,
            const StageType& type, bool by_resnet, StageShape& stage) {
  if (type.attention == Attention::kNone) return;
  if (type.attention == Attention::kText) config.fail(key, "blocks without text: a UNet2DModel is given none");
  const int64_t channels = head_channels.value_or(stage.channels);
  if (channels < 1 || channels > stage.channels) {
    config.fail("attention_head_dim", fmt::format("1 to {}, the channels of the stage that reads it", stage.channels));
  }
  stage.attention =
      AttentionBlockShape{.head_channels = channels, .norm_groups = shape.norm_groups, .norm_eps = shape.norm_eps};
  if (by_resnet && stage.resampler != Resampler::kNone) stage.resampler = Resampler::kResnet;
}

// A residual block, attention if add_attention is set, and a residual block.
std::optional<StageShape> read_mid(JsonConfig& config, const UNetShape& shape, std::optional<int64_t> head_channels) {
  StageShape mid = shape.down.back();
  mid.depths = {1};
  mid.resampler = Resampler::kNone;
  mid.attention = {};
  mid.resnet.output_divisor = config.get<double>("mid_block_scale_factor", 1.0);
  if (mid.resnet.output_divisor == 0) config.fail("mid_block_scale_factor", "a number other than 0");
  std::optional<int64_t> groups = config.find<int64_t>("attn_norm_num_groups");
  if (groups) require_divisor(config, "attn_norm_num_groups", mid.channels, *groups);
  const bool has_attention = config.get<bool>("add_attention", true);
  if (is_null(config, "mid_block_type")) return std::nullopt;
  if (config.get<std::string>("mid_block_type", "UNetMidBlock2D") != "UNetMidBlock2D") {
    config.fail("mid_block_type", "UNetMidBlock2D or null");
  }
  if (!has_attention) return mid;
  attend(config, shape, head_channels, "mid_block_type", {.attention = Attention::kSelf}, false, mid);
  auto& attention = std::get<AttentionBlockShape>(mid.attention);
  attention.output_divisor = mid.resnet.output_divisor;
  attention.norm_groups = groups;
  if (!groups && !mid.resnet.time_scales) attention.norm_groups = shape.norm_groups;
  return mid;
}

}  // namespace

UNetShape read_unet_2d_model(JsonConfig config) {
  const UNetDefaults defaults{.channels = 3,
                              .block_channels = {224, 448, 672, 896},
                              .down_types = {"DownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D"},
                              .up_types = {"AttnUpBlock2D", "AttnUpBlock2D", "AttnUpBlock2D", "UpBlock2D"}};
  UNetOutline outline = read_unet_outline(config, defaults);
  UNetShape& shape = outline.shape;

  const auto times = config.get<std::string>("time_embedding_type", "positional");
  const auto steps = config.find<int64_t>("num_train_timesteps");
  if (times == "learned") {
    if (steps.value_or(0) < 1) config.fail("num_train_timesteps", "1 or more, as time_embedding_type is learned");
    shape.times = LearnedTimes{.channels = std::get<Sinusoids>(shape.times).channels, .steps = *steps};
  } else if (times != "positional") {
    config.fail("time_embedding_type", "positional or learned");
  }

  std::optional<int64_t> width;  // of each head; null: one head as wide as the stage
  if (is_null(config, "attention_head_dim")) {
    config.ignore({"attention_head_dim"});
  } else {
    width = config.get<int64_t>("attention_head_dim", 8);
  }
  const bool down_by_resnet = resamples_by_resnet(config, "downsample_type");
  const bool up_by_resnet = resamples_by_resnet(config, "upsample_type");
  for (size_t s = 0; s < shape.down.size(); ++s) {
    attend(config, shape, width, "down_block_types", outline.down[s], down_by_resnet, shape.down[s]);
    attend(config, shape, width, "up_block_types", outline.up[s], up_by_resnet, shape.up[s]);
  }
  shape.mid = read_mid(config, shape, width);

  config.refuse_unless("class_embed_type", {nullptr});
  config.refuse_unless("num_class_embeds", {nullptr});
  config.ignore({"dropout"});
  config.refuse_unread();
  return shape;
}

namespace {

class UNet2DModel : public UNet {
 public:
  UNet2DModel(JsonConfig config, const WeightOpener& weights, at::TensorOptions options)
      : UNet2DModel(read_unet_2d_model(std::move(config)), weights, options) {}

 private:
  UNet2DModel(const UNetShape& shape, const WeightOpener& weights, at::TensorOptions options)
      : UNet(shape, weights(), options) {}
};

const Registered<Network, UNet2DModel> registered({.name = "UNet2DModel"});

}  // namespace

}  // namespace roundtrip::model
