#include "model/prompt_table.h"

#include <vector>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"

namespace roundtrip::model {

PromptTable::PromptTable(const std::filesystem::path& path, int64_t channels, at::Device device)
    : file_(SafetensorsFile::open(path)), channels_(channels), device_(device) {
  if (file_.entries().empty()) throw input_error(path.string(), "no embeddings", "a tensor for each prompt");
  for (const auto& [prompt, entry] : file_.entries()) {
    if (length_ == 0 && !entry.shape.empty()) length_ = entry.shape.front();
    if (entry.shape != std::vector<int64_t>{length_, channels_} || length_ == 0 || !c10::isFloatingType(entry.dtype)) {
      throw input_error(path.string(),
                        fmt::format("the embedding of {} has shape {}", name_text(prompt), shape_text(entry.shape)),
                        fmt::format("the same length for all and {} channels, of a floating-point type", channels_));
    }
  }
}

TextEncoder::Encoded PromptTable::encode(const std::string& prompt) {
  if (!file_.entries().contains(prompt)) {
    std::vector<std::string> prompts;
    for (const auto& entry : file_.entries()) prompts.push_back(entry.first);
    throw input_error(file_.path().string(), fmt::format("no embedding of the prompt {}.{}", name_text(prompt),
                                                         did_you_mean(prompt, prompts)));
  }
  const at::Tensor tokens = file_.tensor(prompt);
  const at::ScalarType dtype = at::promote_types(tokens.scalar_type(), at::kFloat);
  Encoded encoded;
  encoded.conditioning.tokens = tokens.to(device_, dtype, /*non_blocking=*/false, /*copy=*/true);
  return encoded;
}

}  // namespace roundtrip::model
