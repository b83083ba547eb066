// Encodes prompts for SD3 and FLUX: CLIP's towers and T5's, as diffusers' StableDiffusion3Pipeline and FluxPipeline
// (0.42) do, one prompt for all of them.
#pragma once

#include <optional>
#include <string>

#include "model/prompt_encoder.h"
#include "model/t5_encoder.h"
#include "text/t5_tokenizer.h"

namespace roundtrip::model {

// T5's tokenizer with its encoder, for prompts of a fixed number of tokens: padded, without a mask.
class T5Tower {
 public:
  // Throws kInput if the two do not belong together; `where` names the folder.
  T5Tower(text::T5Tokenizer tokenizer, T5Encoder encoder, int64_t length, at::Device device, std::string where);

  Tensor operator()(const std::string& prompt, int& dropped_tokens) const;  // [1, L, D], in the encoder's dtype

  int64_t length() const { return length_; }
  int64_t channels() const { return encoder_.channels(); }

 private:
  text::T5Tokenizer tokenizer_;
  T5Encoder encoder_;
  int64_t length_;
  at::Device device_;
  std::string where_;
};

// The states before the last layer of two CLIP transformers side by side, zero-padded to T5's width, then T5's states;
// pooled: both CLIPs' projected vectors. A model without T5 has rows of zeros in its place: networks attend to them.
class Sd3PromptEncoder : public PromptEncoder {
 public:
  // `channels` is the width that the network reads and `t5_length` the number of rows where there is no T5. Throws
  // kInput for towers that do not fit; `where` names the folder.
  Sd3PromptEncoder(TextTower first, TextTower second, std::optional<T5Tower> t5, int64_t channels, int64_t t5_length,
                   const std::string& where);

  Encoded encode(const std::string& prompt) override;

  int64_t length() const override { return first_.length() + t5_length_; }
  int64_t channels() const override { return channels_; }
  int64_t pooled_channels() const override {
    return first_.transformer().pooled_channels() + second_.transformer().pooled_channels();
  }

 private:
  TextTower first_, second_;
  std::optional<T5Tower> t5_;
  int64_t channels_, t5_length_;
};

// T5's states; pooled: CLIP's last state at the end token, not projected.
class FluxPromptEncoder : public PromptEncoder {
 public:
  FluxPromptEncoder(TextTower clip, T5Tower t5) : clip_(std::move(clip)), t5_(std::move(t5)) {}

  Encoded encode(const std::string& prompt) override;

  int64_t length() const override { return t5_.length(); }
  int64_t channels() const override { return t5_.channels(); }
  int64_t pooled_channels() const override { return clip_.transformer().channels(); }

 private:
  TextTower clip_;
  T5Tower t5_;
};

}  // namespace roundtrip::model
