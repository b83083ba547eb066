// Any other network as a TorchScript module, with a small YAML file beside it:
//
//   denoiser.yaml
//     module: denoiser.pt          # forward(x [R, C, h, w], t [R] int64, tokens [R, L, D]) -> [R, C, h, w]
//     channels: 4                  # C
//     height: 64                   # h and w; 0 if the network takes any
//     width: 64
//     token_channels: 768          # D; 0: forward takes x and t alone
//     embeddings: prompts.safetensors   # prompt -> tokens [L, D]; without: text_encoder/ and tokenizer/
//
// scheduler/ says what it predicts (eps, v or the sample), as for every model.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "model/network.h"

namespace roundtrip::model {

inline constexpr const char* kTorchScriptConfig = "denoiser.yaml";

struct TorchScriptConfig {
  std::filesystem::path module;
  std::optional<std::filesystem::path> embeddings;
  Network::Facts facts;
};

// Throws an Error naming the file and the key.
TorchScriptConfig read_torchscript_config(const std::filesystem::path& folder);

// Throws kInput for a file that is not a module of that form. Gradients flow through it to x and the tokens; its
// weights do not require any.
std::unique_ptr<Network> open_torchscript(const TorchScriptConfig& config, at::TensorOptions options);

}  // namespace roundtrip::model
