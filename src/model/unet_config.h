// The keys that the configs of UNet2DConditionModel and UNet2DModel share.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/json_config.h"
#include "model/unet.h"

namespace roundtrip::model {

// Properties of a stage that its block's name implies.
struct StageType {
  enum class Attention { kNone, kText, kSelf } attention = Attention::kNone;
  bool resnet_resampler = false;
};

// Values for absent keys, from the constructor of the config's class.
struct UNetDefaults {
  int64_t channels = 0;  // in and out
  std::vector<int64_t> block_channels;
  std::vector<std::string> down_types, up_types;
};

// Shape without attention and without a middle, and the types of its stages in the order of the config: the way down
// from fine to coarse, the way up from coarse to fine.
struct UNetOutline {
  UNetShape shape;
  std::vector<int64_t> layers;  // of each stage on the way down
  std::vector<StageType> down, up;
};

// Throws kInput, naming the file and the key.
UNetOutline read_unet_outline(JsonConfig& config, const UNetDefaults& defaults);

int64_t read_positive(JsonConfig& config, std::string_view key, int64_t fallback);

// Throws kInput for `key` unless `channels` is a multiple of `divisor`.
void require_divisor(const JsonConfig& config, std::string_view key, int64_t channels, int64_t divisor);

// Checks for an explicit null, unlike an absent key: a null mid_block_type means that there is no middle.
bool is_null(const JsonConfig& config, std::string_view key);

}  // namespace roundtrip::model
