// Writes tensors as a safetensors file (huggingface.co/docs/safetensors; the reader is in safetensors.h).
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include <ATen/ATen.h>

namespace roundtrip::model {

// Writes tensors of any device and layout in their own dtype, by name. The data starts at a multiple of 8 bytes. Throws
// kInput if the file cannot be written or the format has no name for a dtype.
void write_safetensors(const std::filesystem::path& path, const std::map<std::string, at::Tensor>& tensors);

}  // namespace roundtrip::model
