// The keys that the configs of UNet2DConditionModel and UNet2DModel share.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/json_config.h"
#include "model/unet.h"

namespace roundtrip::model {

// What a block's name says of a stage.
struct StageType {
  enum class Attention { kNone, kText, kSelf } attention = Attention::kNone;
  bool resnet_resampler = false;
};

// Where a key is absent, its class's constructor decides.
struct UNetDefaults {
  int64_t channels = 0;  // in and out
  std::vector<int64_t> block_channels;
  std::vector<std::string> down_types, up_types;
};

// A shape with neither attention nor a middle, and the types of its stages, as they stand in the config: the
// way down from fine to coarse, the way up from coarse to fine.
struct UNetOutline {
  UNetShape shape;
  std::vector<int64_t> layers;  // of each stage on the way down
  std::vector<StageType> down, up;
};

// Throws kInput, naming the file and the key.
UNetOutline read_unet_outline(JsonConfig& config, const UNetDefaults& defaults);

int64_t read_positive(JsonConfig& config, std::string_view key, int64_t fallback);

// Every stage, with its type. Coarse stages of the way up are the mirrored ones of the way down.
void require_divisor(const JsonConfig& config, std::string_view key, int64_t channels, int64_t divisor);

// Null, which an absent key is not: mid_block_type says with it that there is no middle.
bool is_null(const JsonConfig& config, std::string_view key);

}  // namespace roundtrip::model
