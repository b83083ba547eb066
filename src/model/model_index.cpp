#include "model/model_index.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "model/disguise.h"
#include "model/model_path.h"
#include "model/network.h"
#include "model/torchscript_denoiser.h"

namespace roundtrip::model {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::string expected() { return "a pipeline around a " + join(Network::Plugins::names(), ", "); }

// Components that are read here, and those that a pipeline calls before or after the diffusion.
constexpr std::array<std::string_view, 13> kComponents{
    "unet",           "transformer",       "vae",          "scheduler",   "text_encoder",
    "text_encoder_2", "text_encoder_3",    "tokenizer",    "tokenizer_2", "tokenizer_3",
    "safety_checker", "feature_extractor", "image_encoder"};

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

// Pipelines whose network takes an image as input besides the latent, although its class is one that is read here.
constexpr std::array<std::string_view, 5> kWithPicture{"Kontext", "FluxFill", "FluxControl", "FluxPriorRedux",
                                                       "InstructPix2Pix"};

void refuse_foreign(const json& index, const std::string& pipeline, const std::string& where) {
  const std::string who = pipeline.empty() ? "a pipeline" : "a " + pipeline;
  for (const auto& [name, component] : index.items()) {
    const std::string found = class_of(component);
    if (found.empty() || std::ranges::find(kComponents, name) != kComponents.end()) continue;
    throw input_error(where, fmt::format("{} with a {} ({})", who, name, found), expected());
  }
  for (const std::string_view kind : kWithPicture) {
    if (pipeline.find(kind) == std::string::npos) continue;
    throw input_error(where, fmt::format("{}, whose network takes an image besides the latent", who),
                      "a pipeline from text to image");
  }
  const auto component = [&](const char* name) {
    const auto found = index.find(name);
    return found == index.end() ? std::string() : class_of(*found);
  };
  const std::string transformer = component("transformer");
  if (component("unet").empty() && transformer.empty()) {
    throw input_error(where, fmt::format("{} without a unet or a transformer", who), expected());
  }
  if (!transformer.empty() && !Network::Plugins::has(transformer)) {
    throw input_error(where, fmt::format("{} with a transformer ({})", who, transformer), expected());
  }
  if (!transformer.empty() && !component("image_encoder").empty()) {
    throw input_error(
        where, fmt::format("{} with an image_encoder ({}), which is an IP-Adapter's", who, component("image_encoder")),
        "a pipeline without one");
  }
  if (index.value("requires_aesthetics_score", json(false)) == true) {
    throw input_error(where, fmt::format("{} that asks for an aesthetic score (SDXL's refiner)", who), expected());
  }
}

std::map<int64_t, std::string> read_labels(const json& index, const std::string& where) {
  std::map<int64_t, std::string> labels;
  const auto names = index.find("id2label");
  if (names == index.end() || names->is_null()) return labels;
  if (!names->is_object()) throw input_error(where, "id2label is not an object", "a name for each number of a class");
  for (const auto& [key, name] : names->items()) {
    int64_t number = 0;
    const auto [stop, failure] = std::from_chars(key.data(), key.data() + key.size(), number);
    if (failure != std::errc() || stop != key.data() + key.size() || number < 0 || !name.is_string()) {
      throw input_error(where, fmt::format("id2label has {}: {}", name_text(key), json_text(name)),
                        "a name for each number of a class");
    }
    labels.emplace(number, name);
  }
  return labels;
}

// Refuses a folder without an index and without a unet/, and describes it by its contents.
void refuse_without_index(const fs::path& folder) {
  const fs::path config = folder / "config.json";
  if (is_there(folder / "adapter_config.json") || is_there(folder / "pytorch_lora_weights.safetensors")) {
    throw input_error(folder.string(), "an adapter (LoRA), not a whole model", expected());
  }
  if (is_there(config)) {
    const json found = read_object(config);
    std::string name;
    if (const auto type = found.find("_class_name"); type != found.end() && type->is_string()) name = *type;
    if (const auto types = found.find("architectures"); name.empty() && types != found.end()) name = json_text(*types);
    if (name.starts_with("UNet2D")) return;  // the unet itself: google/ddpm-* are stored so
    throw input_error(folder.string(), fmt::format("a lone {}", name.empty() ? "component" : name), expected());
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
    if (!is_there(folder / "unet") && !is_there(folder / "transformer")) refuse_without_index(folder);
    return {};
  }
  const json index = read_object(path);
  ModelIndex read;
  const auto name = index.find("_class_name");
  if (name != index.end() && name->is_string()) read.pipeline = name->get<std::string>();
  refuse_foreign(index, read.pipeline, path.string());
  const auto zeros = index.find("force_zeros_for_empty_prompt");
  read.force_zeros_for_empty_prompt = zeros == index.end() || *zeros != false;
  for (const std::string_view component : kComponents) {
    const auto found = index.find(component);
    if (found != index.end() && class_of(*found).empty()) read.left_out.emplace(component);
  }
  read.labels = read_labels(index, path.string());
  return read;
}

}  // namespace roundtrip::model
