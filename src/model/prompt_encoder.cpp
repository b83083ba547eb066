#include "model/prompt_encoder.h"

#include <algorithm>
#include <utility>

#include <c10/core/GradMode.h>
#include <fmt/format.h>

#include "base/error.h"

namespace roundtrip::model {

Tensor at_least_float(const Tensor& states) { return states.to(at::promote_types(states.scalar_type(), at::kFloat)); }

TextTower::TextTower(text::ClipTokenizer tokenizer, ClipText transformer, at::Device device, const std::string& where)
    : tokenizer_(std::move(tokenizer)), transformer_(std::move(transformer)), device_(device) {
  if (tokenizer_.max_length() > transformer_.max_length()) {
    throw input_error(where, fmt::format("the tokenizer pads to {} tokens", tokenizer_.max_length()),
                      fmt::format("at most {}, which the text encoder has positions for", transformer_.max_length()));
  }
}

ClipText::Output TextTower::operator()(const std::string& prompt, int& dropped_tokens) const {
  const text::Encoding encoding = tokenizer_.encode(prompt);
  const int64_t largest = *std::ranges::max_element(encoding.ids);
  if (largest >= transformer_.vocabulary()) {
    throw input_error(
        "tokenizer", fmt::format("the token id {}", largest),
        fmt::format("ids below {}, which the text encoder has embeddings for", transformer_.vocabulary()));
  }
  dropped_tokens = std::max(dropped_tokens, encoding.dropped_tokens);
  return transformer_(at::tensor(encoding.ids, at::kLong).unsqueeze(0).to(device_));
}

TextEncoder::Encoded ClipPromptEncoder::encode(const std::string& prompt) {
  const c10::NoGradGuard no_grad;
  Encoded encoded;
  encoded.conditioning.tokens = at_least_float(tower_(prompt, encoded.dropped_tokens).last.squeeze(0));
  return encoded;
}

SdxlPromptEncoder::SdxlPromptEncoder(TextTower first, TextTower second, bool empty_is_zero, const std::string& where)
    : first_(std::move(first)), second_(std::move(second)), empty_is_zero_(empty_is_zero) {
  if (first_.length() != second_.length()) {
    throw input_error(where, fmt::format("tokenizer_2 pads to {} tokens", second_.length()),
                      fmt::format("{}, as tokenizer does", first_.length()));
  }
  if (pooled_channels() == 0) {
    throw input_error(where, "text_encoder_2 has no projection", "a CLIPTextModelWithProjection");
  }
}

TextEncoder::Encoded SdxlPromptEncoder::encode(const std::string& prompt) {
  const c10::NoGradGuard no_grad;
  Encoded encoded;
  const ClipText::Output first = first_(prompt, encoded.dropped_tokens);
  const ClipText::Output second = second_(prompt, encoded.dropped_tokens);
  Tensor tokens = at_least_float(at::cat({first.penultimate, second.penultimate}, 2).squeeze(0));
  Tensor pooled = at_least_float(second.pooled.squeeze(0));
  if (prompt.empty() && empty_is_zero_) {
    tokens.zero_();
    pooled.zero_();
  }
  encoded.conditioning = {.tokens = tokens, .pooled = pooled};
  return encoded;
}

}  // namespace roundtrip::model
