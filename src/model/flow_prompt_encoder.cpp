#include "model/flow_prompt_encoder.h"

#include <algorithm>
#include <utility>

#include <c10/core/GradMode.h>
#include <fmt/format.h>

#include "base/error.h"

namespace roundtrip::model {

T5Tower::T5Tower(text::T5Tokenizer tokenizer, T5Encoder encoder, int64_t length, at::Device device, std::string where)
    : tokenizer_(std::move(tokenizer)),
      encoder_(std::move(encoder)),
      length_(length),
      device_(device),
      where_(std::move(where)) {}

Tensor T5Tower::operator()(const std::string& prompt, int& dropped_tokens) const {
  const text::Encoding encoding = tokenizer_.encode(prompt, length_);
  const int64_t largest = *std::ranges::max_element(encoding.ids);
  if (largest >= encoder_.vocabulary()) {
    throw input_error(where_, fmt::format("its tokenizer gives the id {}", largest),
                      fmt::format("ids below {}, which the encoder has embeddings for", encoder_.vocabulary()));
  }
  dropped_tokens = std::max(dropped_tokens, encoding.dropped_tokens);
  return encoder_(at::tensor(encoding.ids, at::kLong).unsqueeze(0).to(device_));
}

Sd3PromptEncoder::Sd3PromptEncoder(TextTower first, TextTower second, std::optional<T5Tower> t5, int64_t channels,
                                   int64_t t5_length, const std::string& where)
    : first_(std::move(first)),
      second_(std::move(second)),
      t5_(std::move(t5)),
      channels_(channels),
      t5_length_(t5_ ? t5_->length() : t5_length) {
  const int64_t clip = first_.transformer().channels() + second_.transformer().channels();
  if (first_.length() != second_.length()) {
    throw input_error(where, fmt::format("tokenizer_2 pads to {} tokens", second_.length()),
                      fmt::format("{}, as tokenizer does", first_.length()));
  }
  if (clip > channels_) {
    throw input_error(where, fmt::format("CLIP states of {} channels together", clip),
                      fmt::format("at most joint_attention_dim, {}", channels_));
  }
  if (t5_ && t5_->channels() != channels_) {
    throw input_error(where, fmt::format("text_encoder_3 has {} channels", t5_->channels()),
                      fmt::format("joint_attention_dim, {}", channels_));
  }
  for (const TextTower* tower : {&first_, &second_}) {
    if (tower->transformer().pooled_channels() == 0) {
      throw input_error(where, "a text encoder without a projection", "two of CLIPTextModelWithProjection");
    }
  }
}

TextEncoder::Encoded Sd3PromptEncoder::encode(const std::string& prompt) {
  const c10::NoGradGuard no_grad;
  Encoded encoded;
  const ClipText::Output first = first_(prompt, encoded.dropped_tokens);
  const ClipText::Output second = second_(prompt, encoded.dropped_tokens);
  const Tensor clip = at_least_float(at::cat({first.penultimate, second.penultimate}, 2));  // [1, L, D1 + D2]
  if (t5_) encoded.dropped_tokens = 0;  // T5 reads more of the prompt than CLIP does
  const Tensor rest = t5_ ? at_least_float((*t5_)(prompt, encoded.dropped_tokens))
                          : at::zeros({1, t5_length_, channels_}, clip.options());
  const Tensor tokens = at::cat({at::constant_pad_nd(clip, {0, channels_ - clip.size(2)}), rest}, 1);
  encoded.conditioning.tokens = tokens.squeeze(0);
  encoded.conditioning.pooled = at_least_float(at::cat({first.pooled, second.pooled}, 1).squeeze(0));
  return encoded;
}

TextEncoder::Encoded FluxPromptEncoder::encode(const std::string& prompt) {
  const c10::NoGradGuard no_grad;
  Encoded encoded;
  int dropped_of_summary = 0;  // CLIP's vector is only a summary: what T5 reads counts
  encoded.conditioning.pooled = at_least_float(clip_(prompt, dropped_of_summary).end.squeeze(0));
  encoded.conditioning.tokens = at_least_float(t5_(prompt, encoded.dropped_tokens).squeeze(0));
  return encoded;
}

}  // namespace roundtrip::model
