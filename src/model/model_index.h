// Reads model_index.json, which describes a diffusers folder, and recognises folders that are something else.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>

namespace roundtrip::model {

struct ModelIndex {
  std::string pipeline;                      // its class; empty if the folder has no index
  bool force_zeros_for_empty_prompt = true;  // SDXL
  std::set<std::string> left_out;            // components that it names and does not have
  std::map<int64_t, std::string> labels;     // id2label: the names of each class (DiT)
};

// Throws kInput, saying what the folder is, for a pipeline whose components change the input of its network or are not
// implemented (other transformers, ControlNets, IP-Adapters ...), for a lone component, for an adapter, and for
// single-file checkpoints.
ModelIndex read_model_index(const std::filesystem::path& folder);

}  // namespace roundtrip::model
