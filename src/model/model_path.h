// Resolves `model.path`: a folder, or a model in the local cache of Hugging Face's hub. Nothing is downloaded.
#pragma once

#include <filesystem>
#include <string>

namespace roundtrip::model {

struct ModelPath {
  std::filesystem::path folder;
  std::string name;  // the folder's, or the model's on the hub without its owner
};

// A folder of that name wins over the cache. `org/name` or `org/name@revision` (a branch, a tag or a commit; default
// main) is looked up where huggingface_hub keeps its files: $HF_HUB_CACHE, $HF_HOME/hub,
// $XDG_CACHE_HOME/huggingface/hub or ~/.cache/huggingface/hub. Throws kInput for anything else. A checkpoint in a
// single file is refused with the command that converts it.
ModelPath find_model(const std::filesystem::path& path);

// Instructions for converting a single file, or another folder, to a folder of safetensors.
std::string conversion_of_file(const std::filesystem::path& file);
std::string conversion_of_folder(const std::filesystem::path& folder);

bool is_checkpoint(const std::filesystem::path& path);  // by its extension: safetensors or pickled weights

}  // namespace roundtrip::model
