// Describes one edit to an editor: the tokens of both prompts, and the words and the region that the dataset names.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <ATen/ATen.h>

#include "diffusion/denoiser.h"
#include "text/prompt_tokens.h"

namespace roundtrip::editing {

// Words of one edit as its dataset gives them; the editor's own settings win over them.
struct EditWords {
  std::vector<std::string> blend_source, blend_target;    // whose attention bounds the edit; empty: not given
  std::vector<std::pair<std::string, double>> equalizer;  // words of the target prompt and their factors
};

struct Brief {
  // Null where the model has no tokenizer, and in rehearsals, where every word that the settings name is taken to be
  // there.
  std::optional<text::PromptTokens> source, target;
  EditWords words;
  int64_t h = 0, w = 0;    // of the latents
  at::Tensor mask;         // [1, H, W] or [H, W] bool, true where the edit may change the image; undefined: not given
  at::Tensor source_mask;  // of the same, where it takes its content from in the source; undefined: from `mask`
  std::map<std::string, diffusion::Conditioning> embeddings;  // of the prompts that the editor asked for
  bool rehearsed = false;
};

}  // namespace roundtrip::editing
