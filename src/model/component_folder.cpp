#include "model/component_folder.h"

#include <fmt/format.h>

#include "base/error.h"

namespace roundtrip::model {

namespace fs = std::filesystem;

bool ComponentFolder::has(std::string_view component) const {
  std::error_code ignored;
  return fs::exists(root_ / component, ignored);
}

void ComponentFolder::require(std::string_view component, std::string_view expected) const {
  if (!has(component)) throw input_error(root_.string(), fmt::format("no {}/", component), expected);
}

fs::path ComponentFolder::network() const {
  if (has("transformer") && has("unet")) {
    throw input_error(root_.string(), "both transformer/ and unet/", "the one network of a model");
  }
  if (has("transformer")) return root_ / "transformer";
  return has("unet") || !has("config.json") ? root_ / "unet" : root_;
}

fs::path ComponentFolder::scheduler_config() const {
  constexpr const char* kName = "scheduler_config.json";
  if (!has("scheduler") && has(kName)) return root_ / kName;
  require("scheduler", "scheduler/scheduler_config.json");
  return root_ / "scheduler" / kName;
}

JsonConfig ComponentFolder::config(const fs::path& component) const {
  return JsonConfig::open(root_ / component / "config.json");
}

WeightSource ComponentFolder::weights(const fs::path& component) {
  WeightSource source = WeightSource::open(root_ / component);
  for (const fs::path& file : source.files()) {
    count(component.filename().string(), file);
    const SafetensorsFile opened = SafetensorsFile::open(file);
    for (const auto& [name, entry] : opened.entries()) {
      parameters_ += c10::isFloatingType(entry.dtype) ? c10::multiply_integers(entry.shape) : 0;
    }
  }
  return source;
}

void ComponentFolder::count(std::string_view component, const fs::path& file) {
  weight_files_.push_back({std::string(component), file});
}

}  // namespace roundtrip::model
