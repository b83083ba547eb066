// WeightSource: finds the files of a component's weights and looks up tensors in all of them.
#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "model/model_path.h"
#include "model/safetensors.h"

namespace roundtrip::model {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 2> kStems{"diffusion_pytorch_model", "model"};
constexpr std::string_view kExpected = "diffusion_pytorch_model.safetensors or model.safetensors";

// First existing file among the names that diffusers and transformers write; full precision before half.
std::optional<fs::path> find_weights(const fs::path& folder) {
  for (const std::string variant : {"", ".fp16", ".bf16"}) {
    for (const std::string_view kind : kStems) {
      const std::string stem(kind);
      for (const std::string& name : {stem + variant + ".safetensors", stem + ".safetensors.index" + variant + ".json",
                                      stem + variant + ".safetensors.index.json"}) {
        if (std::error_code ignored; fs::exists(folder / name, ignored)) return folder / name;
      }
    }
  }
  return std::nullopt;
}

bool is_variant(const std::string& name) {  // diffusion_pytorch_model.VARIANT.safetensors
  return std::ranges::any_of(kStems, [&](std::string_view stem) {
    return name.starts_with(stem) && name.size() > stem.size() && name[stem.size()] == '.';
  });
}

// The only other variant in the folder (non_ema, ...). If there is none, or more than one, throws an error that names
// what is there instead.
fs::path find_other_variant(const fs::path& folder) {
  std::optional<fs::path> pickle, other;
  std::vector<std::string> variants;
  std::error_code failure;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, failure)) {
    const fs::path& path = entry.path();
    if (path.extension() != ".safetensors") {
      if (is_checkpoint(path)) pickle = path;
    } else if (is_variant(path.filename().string())) {
      variants.push_back(path.filename().string());
    } else {
      other = path;
    }
  }
  if (failure) throw input_error(folder.string(), fmt::format("cannot be listed ({})", failure.message()));
  if (variants.size() == 1) return folder / variants.front();
  if (!variants.empty()) {
    std::ranges::sort(variants);
    throw input_error(folder.string(), fmt::format("several variants: {}", join(variants, ", ")),
                      fmt::format("one, or {}", kExpected));
  }
  if (other) throw input_error(other->string(), "not a name that weights go by", kExpected);
  if (pickle) {
    throw input_error(pickle->string(), "pickled weights can run code when read and are refused",
                      conversion_of_folder(folder.parent_path()));
  }
  throw input_error(folder.string(), "no weights", kExpected);
}

// Reads the shard of every tensor from an index {"weight_map": {tensor: file}}.
std::map<std::string, std::string> read_index(const fs::path& path) {
  const nlohmann::json index = read_json(path);
  const auto weight_map = index.is_object() ? index.find("weight_map") : index.end();
  if (weight_map == index.end() || !weight_map->is_object() || weight_map->empty()) {
    throw input_error(path.string(), "no weight_map", "an object that names a file for each tensor");
  }
  std::map<std::string, std::string> shard_of;
  for (const auto& [tensor, shard] : weight_map->items()) {
    // A shard must be beside its index: a model folder has no paths that lead elsewhere.
    const fs::path file = shard.is_string() ? shard.get<std::string>() : "";
    if (file.extension() != ".safetensors" || file.has_parent_path()) {
      throw input_error(path.string(), fmt::format("tensor {} lies in {}", name_text(tensor), json_text(shard)),
                        "the name of a safetensors file in the same folder");
    }
    shard_of.emplace(tensor, file.string());
  }
  return shard_of;
}

}  // namespace

WeightSource WeightSource::open(const fs::path& path) {
  fs::path file = path;
  if (std::error_code ignored; fs::is_directory(path, ignored)) {
    const std::optional<fs::path> found = find_weights(path);
    file = found ? *found : find_other_variant(path);
  }
  WeightSource source;
  source.where_ = file.string();
  if (file.extension() != ".json") {
    source.paths_ = {file};
    source.files_ = {SafetensorsFile::open(file)};
    for (const auto& [name, entry] : source.files_[0].entries()) source.file_of_.emplace(name, 0);
    return source;
  }
  std::map<std::string, size_t> opened;
  for (const auto& [name, shard] : read_index(file)) {
    const auto [position, is_new] = opened.emplace(shard, source.files_.size());
    if (is_new) {
      source.paths_.push_back(file.parent_path() / shard);
      source.files_.push_back(SafetensorsFile::open(source.paths_.back()));
    }
    if (!source.files_[position->second].entries().contains(name)) {
      throw input_error(source.paths_[position->second].string(), fmt::format("no tensor {}", name_text(name)),
                        fmt::format("it here by {}", file.filename().string()));
    }
    source.file_of_.emplace(name, position->second);
  }
  return source;
}

std::vector<std::string> WeightSource::names() const {
  std::vector<std::string> names;
  for (const auto& [name, file] : file_of_) names.push_back(name);
  return names;
}

std::vector<std::string> WeightSource::unread() const {
  std::vector<std::string> unread = names();
  std::erase_if(unread, [&](const std::string& name) { return read_.contains(name); });
  return unread;
}

at::Tensor WeightSource::tensor(std::string_view name) {
  const auto found = file_of_.find(name);
  if (found == file_of_.end()) {
    throw input_error(where_, fmt::format("no tensor {}.{}", name_text(name), did_you_mean(name, names())));
  }
  read_.emplace(name);
  return files_[found->second].tensor(name);
}

at::Tensor WeightSource::tensor(std::string_view name, at::IntArrayRef shape) {
  const at::Tensor found = tensor(name);
  if (found.sizes() != shape) {
    throw input_error(where_, fmt::format("tensor {} has shape {}", name_text(name), shape_text(found.sizes())),
                      shape_text(shape));
  }
  return found;
}

void WeightSource::release(std::string_view name) const {
  if (const auto found = file_of_.find(name); found != file_of_.end()) files_[found->second].release(name);
}

void WeightSource::ignore(std::string_view name) { read_.emplace(name); }

}  // namespace roundtrip::model
