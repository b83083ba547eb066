// Encodes prompts as conditioning.
#pragma once

#include <optional>
#include <string>

#include "diffusion/denoiser.h"
#include "text/prompt_tokens.h"

namespace roundtrip::model {

class TextEncoder {
 public:
  struct Encoded {
    diffusion::Conditioning conditioning;  // tokens [L, D]
    int dropped_tokens = 0;                // number of tokens beyond the model's length
  };

  virtual ~TextEncoder() = default;
  virtual Encoded encode(const std::string& prompt) = 0;

  // Throws what `encode` would throw for the words of a prompt, without encoding it.
  virtual void check(const std::string&) const {}

  // The tokens whose rows the embedding has, the first tokenizer's where there are two; nothing without a tokenizer.
  virtual std::optional<text::PromptTokens> tokens(const std::string&) const { return std::nullopt; }
};

}  // namespace roundtrip::model
