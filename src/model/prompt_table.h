// Precomputed embeddings: a safetensors file with a tensor [L, D] for each prompt, named by the prompt's own text. The
// empty prompt is one of them.
#pragma once

#include <filesystem>
#include <string>

#include "model/prompt_encoder.h"
#include "model/safetensors.h"

namespace roundtrip::model {

class PromptTable : public PromptEncoder {
 public:
  // Throws kInput if the tensors do not all have one shape [L, `channels`].
  PromptTable(const std::filesystem::path& path, int64_t channels, at::Device device);

  // Tokens in float32, or in float64 if the file has it. Throws kInput for a prompt that is not in the file.
  Encoded encode(const std::string& prompt) override;

  int64_t length() const override { return length_; }
  int64_t channels() const override { return channels_; }

 private:
  SafetensorsFile file_;
  int64_t length_ = 0, channels_;
  at::Device device_;
};

}  // namespace roundtrip::model
