// Prompts to what a network of the Stable Diffusion family is conditioned on: the tokenizer's ids, padded to
// the model's length, through CLIP's text transformer, or through two of them.
#pragma once

#include <string>

#include "diffusion/denoiser.h"
#include "model/clip_text.h"
#include "model/text_encoder.h"
#include "text/clip_tokenizer.h"

namespace roundtrip::model {

// A text encoder, with what a network has to agree with.
class PromptEncoder : public TextEncoder {
 public:
  virtual int64_t length() const = 0;                    // L
  virtual int64_t channels() const = 0;                  // D
  virtual int64_t pooled_channels() const { return 0; }  // P; 0 where there is no pooled vector
};

// One tokenizer with its transformer.
class TextTower {
 public:
  // Throws kInput where the two do not belong together; `where` names the folder.
  TextTower(text::ClipTokenizer tokenizer, ClipText transformer, at::Device device, const std::string& where);

  // States of one prompt [1, L, D] in the transformer's dtype; adds the tokens that did not fit.
  ClipText::Output operator()(const std::string& prompt, int& dropped_tokens) const;

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

  // Tokens [L, D] in float32, or float64 where the transformer has it.
  Encoded encode(const std::string& prompt) override;

  int64_t length() const override { return tower_.length(); }
  int64_t channels() const override { return tower_.transformer().channels(); }

 private:
  TextTower tower_;
};

// SDXL (Podell et al., 2023, section 2.1): the states before the last layer of two transformers side by side,
// and the second one's projected vector.
class SdxlPromptEncoder : public PromptEncoder {
 public:
  // `empty_is_zero`: an empty prompt is all zeros instead of what the transformers make of it
  // (force_zeros_for_empty_prompt in model_index.json). Throws kInput where the towers differ in length or the
  // second has no projection; `where` names the folder.
  SdxlPromptEncoder(TextTower first, TextTower second, bool empty_is_zero, const std::string& where);

  // Tokens [L, D1 + D2] and the pooled vector [P], dtypes as above.
  Encoded encode(const std::string& prompt) override;

  int64_t length() const override { return first_.length(); }
  int64_t channels() const override { return first_.transformer().channels() + second_.transformer().channels(); }
  int64_t pooled_channels() const override { return second_.transformer().pooled_channels(); }

 private:
  TextTower first_, second_;
  bool empty_is_zero_;
};

}  // namespace roundtrip::model
