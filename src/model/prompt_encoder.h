// Encodes prompts for networks of the Stable Diffusion family: the tokenizer's ids, padded to the model's length, go
// through one or two of CLIP's text transformers.
#pragma once

#include <optional>
#include <string>

#include "diffusion/denoiser.h"
#include "model/clip_text.h"
#include "model/text_encoder.h"
#include "text/clip_tokenizer.h"

namespace roundtrip::model {

// Widens half precision: the conditioning of a network is kept in float32.
Tensor at_least_float(const Tensor& states);

// Text encoder with the sizes that a network has to agree with.
class PromptEncoder : public TextEncoder {
 public:
  virtual int64_t length() const = 0;                    // L
  virtual int64_t channels() const = 0;                  // D
  virtual int64_t pooled_channels() const { return 0; }  // P; 0 without a pooled vector
};

// One tokenizer with its transformer.
class TextTower {
 public:
  // Throws kInput if the two do not belong together; `where` names the folder.
  TextTower(text::ClipTokenizer tokenizer, ClipText transformer, at::Device device, const std::string& where);

  // Returns the states of one prompt [1, L, D] in the transformer's dtype; adds the number of tokens that did not fit.
  ClipText::Output operator()(const std::string& prompt, int& dropped_tokens) const;

  text::PromptTokens tokens(const std::string& prompt) const { return tokenizer_.tokens(prompt); }

  int64_t length() const { return tokenizer_.max_length(); }
  const ClipText& transformer() const { return transformer_; }

 private:
  text::ClipTokenizer tokenizer_;
  ClipText transformer_;
  at::Device device_;
};

// Stable Diffusion 1 and 2: the last hidden state after the final norm.
class ClipPromptEncoder : public PromptEncoder {
 public:
  explicit ClipPromptEncoder(TextTower tower) : tower_(std::move(tower)) {}

  // Tokens [L, D] in float32, or in float64 if the transformer uses it.
  Encoded encode(const std::string& prompt) override;
  std::optional<text::PromptTokens> tokens(const std::string& prompt) const override { return tower_.tokens(prompt); }

  int64_t length() const override { return tower_.length(); }
  int64_t channels() const override { return tower_.transformer().channels(); }

 private:
  TextTower tower_;
};

// SDXL (Podell et al., 2023, section 2.1): the states before the last layer of two transformers side by side,
// and the second one's projected vector.
class SdxlPromptEncoder : public PromptEncoder {
 public:
  // `empty_is_zero` encodes an empty prompt as zeros instead of the transformers' output (force_zeros_for_empty_prompt
  // in model_index.json). Throws kInput if the towers differ in length or the second has no projection. `where` names
  // the folder.
  SdxlPromptEncoder(TextTower first, TextTower second, bool empty_is_zero, const std::string& where);

  // Tokens [L, D1 + D2] and the pooled vector [P], dtypes as above.
  Encoded encode(const std::string& prompt) override;
  std::optional<text::PromptTokens> tokens(const std::string& prompt) const override { return first_.tokens(prompt); }

  int64_t length() const override { return first_.length(); }
  int64_t channels() const override { return first_.transformer().channels() + second_.transformer().channels(); }
  int64_t pooled_channels() const override { return second_.transformer().pooled_channels(); }

 private:
  TextTower first_, second_;
  bool empty_is_zero_;
};

}  // namespace roundtrip::model
