// Reads model_index.json, which describes a diffusers folder, and recognises folders that are something else.
#pragma once

#include <filesystem>
#include <string>

namespace roundtrip::model {

struct ModelIndex {
  std::string pipeline;                      // its class; empty if the folder has no index
  bool force_zeros_for_empty_prompt = true;  // SDXL
};

// Throws kInput, saying what the folder is, for a pipeline whose components change the input of its network or are not
// implemented (transformers, ControlNets, image encoders ...), for a lone component, for an adapter, and for
// single-file checkpoints.
ModelIndex read_model_index(const std::filesystem::path& folder);

}  // namespace roundtrip::model
