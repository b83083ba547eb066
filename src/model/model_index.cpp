#include "model/model_index.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "model/disguise.h"
#include "model/model_path.h"
#include "model/torchscript_denoiser.h"

namespace roundtrip::model {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::string_view kExpected = "a pipeline around a UNet2DConditionModel or UNet2DModel";

// Components that are read here, and those that a pipeline calls before or after the diffusion.
constexpr std::array<std::string_view, 10> kComponents{
    "unet",      "vae",         "scheduler",      "text_encoder",      "text_encoder_2",
    "tokenizer", "tokenizer_2", "safety_checker", "feature_extractor", "image_encoder"};

// Class of [library, class]; a component that was left out is null or [null, null].
std::string class_of(const json& component) {
  const bool is_named = component.is_array() && component.size() == 2 && component[1].is_string();
  return is_named ? component[1].get<std::string>() : "";
}

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

json read_object(const fs::path& path) {
  const std::string text = read_file(path);
  refuse_disguise(text, path.string());
  json object = parse_json(text, path.string());
  if (!object.is_object()) throw input_error(path.string(), "not a JSON object", "an object of settings");
  return object;
}

void refuse_foreign(const json& index, const std::string& pipeline, const std::string& where) {
  const std::string who = pipeline.empty() ? "a pipeline" : "a " + pipeline;
  for (const auto& [name, component] : index.items()) {
    const std::string found = class_of(component);
    if (found.empty() || std::ranges::find(kComponents, name) != kComponents.end()) continue;
    throw input_error(where, fmt::format("{} with a {} ({})", who, name, found), kExpected);
  }
  const auto unet = index.find("unet");
  if (unet == index.end() || class_of(*unet).empty()) {
    throw input_error(where, fmt::format("{} without a unet", who), kExpected);
  }
  if (index.value("requires_aesthetics_score", json(false)) == true) {
    throw input_error(where, fmt::format("{} that asks for an aesthetic score (SDXL's refiner)", who), kExpected);
  }
}

// Refuses a folder without an index and without a unet/, and describes it by its contents.
void refuse_without_index(const fs::path& folder) {
  const fs::path config = folder / "config.json";
  if (is_there(folder / "adapter_config.json") || is_there(folder / "pytorch_lora_weights.safetensors")) {
    throw input_error(folder.string(), "an adapter (LoRA), not a whole model", kExpected);
  }
  if (is_there(config)) {
    const json found = read_object(config);
    std::string name;
    if (const auto type = found.find("_class_name"); type != found.end() && type->is_string()) name = *type;
    if (const auto types = found.find("architectures"); name.empty() && types != found.end()) name = json_text(*types);
    if (name.starts_with("UNet2D")) return;  // the unet itself: google/ddpm-* are stored so
    throw input_error(folder.string(), fmt::format("a lone {}", name.empty() ? "component" : name), kExpected);
  }
  std::vector<fs::path> checkpoints;
  std::error_code failure;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, failure)) {
    if (is_checkpoint(entry.path()) && !entry.is_directory(failure)) checkpoints.push_back(entry.path());
  }
  std::ranges::sort(checkpoints);
  if (!checkpoints.empty()) {
    throw input_error(checkpoints.front().string(), "a checkpoint in a single file",
                      conversion_of_file(checkpoints.front()));
  }
}

}  // namespace

ModelIndex read_model_index(const fs::path& folder) {
  const fs::path path = folder / "model_index.json";
  if (is_there(folder / kTorchScriptConfig)) return {};
  if (!is_there(path)) {
    if (!is_there(folder / "unet")) refuse_without_index(folder);
    return {};
  }
  const json index = read_object(path);
  ModelIndex read;
  const auto name = index.find("_class_name");
  if (name != index.end() && name->is_string()) read.pipeline = name->get<std::string>();
  refuse_foreign(index, read.pipeline, path.string());
  const auto zeros = index.find("force_zeros_for_empty_prompt");
  read.force_zeros_for_empty_prompt = zeros == index.end() || *zeros != false;
  return read;
}

}  // namespace roundtrip::model
