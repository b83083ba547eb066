#include "model/unet_config.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"

namespace roundtrip::model {
namespace {

using Attention = StageType::Attention;
using NamedType = std::pair<std::string_view, StageType>;

constexpr std::array<NamedType, 4> kDownTypes{{{"DownBlock2D", {}},
                                               {"CrossAttnDownBlock2D", {.attention = Attention::kText}},
                                               {"AttnDownBlock2D", {.attention = Attention::kSelf}},
                                               {"ResnetDownsampleBlock2D", {.resnet_resampler = true}}}};
constexpr std::array<NamedType, 4> kUpTypes{{{"UpBlock2D", {}},
                                             {"CrossAttnUpBlock2D", {.attention = Attention::kText}},
                                             {"AttnUpBlock2D", {.attention = Attention::kSelf}},
                                             {"ResnetUpsampleBlock2D", {.resnet_resampler = true}}}};

std::vector<StageType> read_types(JsonConfig& config, std::string_view key, std::vector<std::string> fallback,
                                  const std::array<NamedType, 4>& known, size_t stages) {
  constexpr std::string_view kOldPrefix = "UNetRes";  // in names written by the first versions
  const auto names = config.get<std::vector<std::string>>(key, std::move(fallback));
  if (names.size() != stages) config.fail(key, fmt::format("{} names, as block_out_channels has", stages));
  std::vector<StageType> types;
  for (const std::string& name : names) {
    const std::string_view plain =
        name.starts_with(kOldPrefix) ? std::string_view(name).substr(kOldPrefix.size()) : name;
    const auto found = std::ranges::find(known, plain, &NamedType::first);
    if (found == known.end()) {
      std::vector<std::string> all;
      for (const NamedType& type : known) all.emplace_back(type.first);
      config.fail(key, fmt::format("of {}", join(all, ", ")));
    }
    types.push_back(found->second);
  }
  return types;
}

// Reads one number, or [height, width]; zeros if the config does not say.
std::array<int64_t, 2> read_sample_size(JsonConfig& config) {
  if (!config.has("sample_size")) {
    config.ignore({"sample_size"});
    return {};
  }
  const auto sizes = config.per_block<int64_t>("sample_size", 2, 0);
  if (sizes[0] < 1 || sizes[1] < 1) config.fail("sample_size", "1 or more");
  return {sizes[0], sizes[1]};
}

bool read_time_scales(JsonConfig& config) {
  const auto name = config.get<std::string>("resnet_time_scale_shift", "default");
  if (name != "default" && name != "scale_shift") config.fail("resnet_time_scale_shift", "default or scale_shift");
  return name == "scale_shift";
}

Resampler resampler_of(const StageType& type, bool is_last) {
  if (is_last) return Resampler::kNone;
  return type.resnet_resampler ? Resampler::kResnet : Resampler::kConv;
}

}  // namespace

int64_t read_positive(JsonConfig& config, std::string_view key, int64_t fallback) {
  const int64_t value = config.get<int64_t>(key, fallback);
  if (value < 1) config.fail(key, "1 or more");
  return value;
}

void require_divisor(const JsonConfig& config, std::string_view key, int64_t channels, int64_t divisor) {
  if (divisor < 1 || channels % divisor != 0) {
    config.fail(key, fmt::format("a divisor of every stage's channels, and one stage has {}", channels));
  }
}

bool is_null(const JsonConfig& config, std::string_view key) {
  return std::ranges::any_of(config.unread(),
                             [key](const auto& item) { return item.first == key && item.second.is_null(); });
}

UNetOutline read_unet_outline(JsonConfig& config, const UNetDefaults& defaults) {
  UNetOutline outline;
  UNetShape& shape = outline.shape;
  shape.in_channels = read_positive(config, "in_channels", defaults.channels);
  shape.out_channels = read_positive(config, "out_channels", defaults.channels);
  shape.centers_input = config.get<bool>("center_input_sample", false);
  shape.activation = read_activation(config, "act_fn");
  shape.norm_groups = read_positive(config, "norm_num_groups", 32);
  shape.norm_eps = config.get<double>("norm_eps", 1e-5);
  shape.sample_size = read_sample_size(config);

  const auto channels = config.get<std::vector<int64_t>>("block_out_channels", defaults.block_channels);
  if (channels.empty()) config.fail("block_out_channels", "one or more stages");
  if (std::ranges::any_of(channels, [](int64_t c) { return c < 1; })) {
    config.fail("block_out_channels", "1 or more channels in each stage");
  }
  for (const int64_t c : channels) require_divisor(config, "norm_num_groups", c, shape.norm_groups);
  const size_t count = channels.size();
  shape.times = Sinusoids{.channels = channels.front(),
                          .cosine_first = config.get<bool>("flip_sin_to_cos", true),
                          .frequency_shift = config.get<double>("freq_shift", 0.0)};
  shape.embedding_channels = config.find<int64_t>("time_embedding_dim").value_or(4 * channels.front());
  if (shape.embedding_channels < 1) config.fail("time_embedding_dim", "1 or more");

  outline.down = read_types(config, "down_block_types", defaults.down_types, kDownTypes, count);
  outline.up = read_types(config, "up_block_types", defaults.up_types, kUpTypes, count);
  outline.layers = config.per_block<int64_t>("layers_per_block", count, 2);
  const auto padding = config.get<int64_t>("downsample_padding", 1);
  if (padding != 0 && padding != 1) config.fail("downsample_padding", "0 or 1");
  const bool time_scales = read_time_scales(config);
  for (size_t s = 0; s < count; ++s) {
    if (outline.layers[s] < 1) config.fail("layers_per_block", "1 or more");
    StageShape stage{.channels = channels[s],
                     .depths = std::vector<int64_t>(outline.layers[s], 1),
                     .resnet = {.norm_groups = shape.norm_groups,
                                .norm_eps = shape.norm_eps,
                                .activation = shape.activation,
                                .time_scales = time_scales},
                     .attention = {},
                     .resampler = resampler_of(outline.down[s], s + 1 == count),
                     .downsample_padding = padding};
    shape.down.push_back(stage);
    stage.depths.push_back(1);
    stage.resampler = resampler_of(outline.up[count - 1 - s], s == 0);
    shape.up.insert(shape.up.begin(), stage);
  }
  return outline;
}

}  // namespace roundtrip::model
