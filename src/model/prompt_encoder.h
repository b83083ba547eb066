// Prompts to what a Stable Diffusion network is conditioned on: the tokenizer's ids, padded to the model's
// length, through CLIP's text transformer.
#pragma once

#include <string>

#include "diffusion/denoiser.h"
#include "model/clip_text.h"
#include "text/clip_tokenizer.h"

namespace roundtrip::model {

class PromptEncoder : public diffusion::TextEncoder {
 public:
  // Throws kInput where the tokenizer and the transformer do not belong together; `where` names the folder.
  PromptEncoder(text::ClipTokenizer tokenizer, ClipText transformer, at::Device device, const std::string& where);

  // Tokens [L, D] in float32, or float64 where the transformer has it.
  Encoded encode(const std::string& prompt) override;

  int64_t length() const { return tokenizer_.max_length(); }
  int64_t channels() const { return transformer_.channels(); }

 private:
  text::ClipTokenizer tokenizer_;
  ClipText transformer_;
  at::Device device_;
};

}  // namespace roundtrip::model
