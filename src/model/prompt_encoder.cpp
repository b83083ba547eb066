#include "model/prompt_encoder.h"

#include <algorithm>
#include <utility>

#include <c10/core/GradMode.h>
#include <fmt/format.h>

#include "base/error.h"

namespace roundtrip::model {

PromptEncoder::PromptEncoder(text::ClipTokenizer tokenizer, ClipText transformer, at::Device device,
                             const std::string& where)
    : tokenizer_(std::move(tokenizer)), transformer_(std::move(transformer)), device_(device) {
  if (tokenizer_.max_length() > transformer_.max_length()) {
    throw input_error(where, fmt::format("the tokenizer pads to {} tokens", tokenizer_.max_length()),
                      fmt::format("at most {}, which the text encoder has positions for", transformer_.max_length()));
  }
}

diffusion::TextEncoder::Encoded PromptEncoder::encode(const std::string& prompt) {
  const text::Encoding encoding = tokenizer_.encode(prompt);
  const int64_t largest = *std::ranges::max_element(encoding.ids);
  if (largest >= transformer_.vocabulary()) {
    throw input_error(
        "tokenizer", fmt::format("the token id {}", largest),
        fmt::format("ids below {}, which the text encoder has embeddings for", transformer_.vocabulary()));
  }
  c10::NoGradGuard no_grad;
  const Tensor ids = at::tensor(encoding.ids, at::kLong).unsqueeze(0).to(device_);  // [1, L]
  const Tensor hidden = transformer_(ids).squeeze(0);                               // [L, D]
  const at::ScalarType dtype = at::promote_types(hidden.scalar_type(), at::kFloat);
  return {.conditioning = {.tokens = hidden.to(dtype)}, .dropped_tokens = encoding.dropped_tokens};
}

}  // namespace roundtrip::model
