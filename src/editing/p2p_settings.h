// The settings of Prompt-to-Prompt, read once.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/params.h"
#include "diffusion/attention_plan.h"
#include "editing/local_blend.h"
#include "editing/token_map.h"
#include "editing/windows.h"
#include "editing/words.h"

namespace roundtrip::editing {

using Factors = std::vector<std::pair<std::string, double>>;  // of words

enum class Mapper { kRefine, kReplace, kAuto };

// An optional that is not set (null in the config) leaves it to the dataset; an empty value is none.
struct P2pSettings {
  explicit P2pSettings(const config::Params& params);

  Mapper mapper;
  Tail tail;
  WordsRule words;
  Bound cross;
  WordBounds cross_words;
  Bound self;
  int64_t self_max_tokens;
  std::optional<Factors> equalizer;
  std::optional<WordPair> blend_words;
  WordPair minus;
  BlendSettings blend;
  std::optional<int64_t> blend_tokens;
  std::vector<diffusion::Place> blend_places;
};

}  // namespace roundtrip::editing
