#include "model/model_path.h"

#include <array>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

namespace roundtrip::model {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kExpected =
    "a model in diffusers' layout (unet/ or transformer/, vae/, text_encoder/, tokenizer/, scheduler/), or the name of "
    "one in the cache of Hugging Face's hub";

std::optional<fs::path> environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return fs::path(value);
}

fs::path hub_cache() {
  if (const auto hub = environment("HF_HUB_CACHE")) return *hub;
  if (const auto home = environment("HF_HOME")) return *home / "hub";
  if (const auto cache = environment("XDG_CACHE_HOME")) return *cache / "huggingface" / "hub";
  return environment("HOME").value_or("/") / ".cache" / "huggingface" / "hub";
}

struct HubName {
  std::string owner, name, revision = "main";
};

// Parses org/name or org/name@revision, and nothing that leads out of the cache.
std::optional<HubName> hub_name(const std::string& text) {
  const std::vector<std::string> halves = split(text, '@');
  const std::vector<std::string> parts = split(halves[0], '/');
  if (halves.size() > 2 || parts.size() != 2) return std::nullopt;
  HubName name{.owner = parts[0], .name = parts[1]};
  if (halves.size() == 2) name.revision = halves[1];
  for (const std::string* part : {&name.owner, &name.name, &name.revision}) {
    if (part->empty() || part->starts_with('.') || part->find("..") != std::string::npos) return std::nullopt;
  }
  return name;
}

// refs/REVISION holds a commit, snapshots/COMMIT its files.
ModelPath find_in_cache(const HubName& wanted) {
  const fs::path repository = hub_cache() / fmt::format("models--{}--{}", wanted.owner, wanted.name);
  const std::string where = fmt::format("{}/{}", wanted.owner, wanted.name);
  std::error_code ignored;
  if (!fs::is_directory(repository, ignored)) {
    throw input_error(where, fmt::format("no such folder, and not in the cache {}", hub_cache().string()), kExpected);
  }
  const fs::path ref = repository / "refs" / wanted.revision;
  const std::string commit = fs::is_regular_file(ref, ignored) ? std::string(trim(read_file(ref))) : wanted.revision;
  const fs::path snapshot = repository / "snapshots" / commit;
  if (commit.empty() || commit.find('/') != std::string::npos || !fs::is_directory(snapshot, ignored)) {
    throw input_error(
        where, fmt::format("revision {} is not in the cache {}", name_text(wanted.revision), repository.string()),
        "a revision that was downloaded (NAME@REVISION)");
  }
  return {.folder = snapshot, .name = wanted.name};
}

}  // namespace

std::string conversion_of_file(const fs::path& file) {
  return fmt::format(
      "a folder in diffusers' layout; convert: python3 -c \"from diffusers import StableDiffusionPipeline as P; "
      "P.from_single_file('{}').save_pretrained('{}')\" (StableDiffusionXLPipeline for SDXL)",
      file.string(), file.stem().string());
}

std::string conversion_of_folder(const fs::path& folder) {
  return fmt::format(
      "safetensors; convert: python3 -c \"from diffusers import DiffusionPipeline as P; "
      "P.from_pretrained('{}').save_pretrained('{}-safetensors')\"",
      folder.string(), folder.filename().string());
}

bool is_checkpoint(const fs::path& path) {
  constexpr std::array<std::string_view, 5> kExtensions{".safetensors", ".ckpt", ".bin", ".pt", ".pth"};
  for (const std::string_view extension : kExtensions) {
    if (path.extension() == extension) return true;
  }
  return false;
}

ModelPath find_model(const fs::path& path) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) return {.folder = path, .name = fs::weakly_canonical(path).filename().string()};
  if (fs::is_regular_file(path, ignored)) {
    if (is_checkpoint(path)) {
      throw input_error(path.string(), "a checkpoint in a single file", conversion_of_file(path));
    }
    throw input_error(path.string(), "not a folder", kExpected);
  }
  if (const auto name = hub_name(path.string())) return find_in_cache(*name);
  throw input_error(path.string(), "no such folder", kExpected);
}

}  // namespace roundtrip::model
