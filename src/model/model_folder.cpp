#include "model/model_folder.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <ATen/Context.h>
#include <fmt/format.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"
#include "model/autoencoder_kl.h"
#include "model/clip_text.h"
#include "model/json_config.h"
#include "model/pixel_codec.h"
#include "model/prediction.h"
#include "model/prompt_encoder.h"
#include "model/safetensors.h"
#include "model/scheduler_config.h"
#include "model/unet_2d_condition.h"

namespace roundtrip::model {
namespace {

namespace fs = std::filesystem;

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

at::ScalarType dtype_of(const std::string& name) {
  constexpr std::array<std::pair<std::string_view, at::ScalarType>, 4> kDtypes{
      {{"float32", at::kFloat}, {"float64", at::kDouble}, {"bfloat16", at::kBFloat16}, {"float16", at::kHalf}}};
  std::vector<std::string> names;
  for (const auto& [known, dtype] : kDtypes) {
    if (known == name) return dtype;
    names.emplace_back(known);
  }
  throw input_error("model.dtype", name_text(name), join(names, ", ") + "." + did_you_mean(name, names));
}

at::Device device_of(const std::string& name) {
  constexpr std::string_view kExpected = "cpu, cuda or cuda:N with a GPU that is there";
  at::Device device(at::kCPU);
  try {
    device = at::Device(name);
  } catch (const c10::Error&) {
    throw input_error("engine.device", name_text(name), kExpected);
  }
  const auto gpus = static_cast<int64_t>(at::hasCUDA() ? at::getNumGPUs() : 0);
  const bool is_present = device.is_cpu() || (device.is_cuda() && gpus > 0 && device.index() < gpus);
  if (!is_present) throw input_error("engine.device", name_text(name), kExpected);
  return device;
}

// The components of one folder as they are opened: configs, weights, and a tally of both.
class Folder {
 public:
  explicit Folder(fs::path root) : root_(std::move(root)) {
    std::error_code ignored;
    if (!fs::is_directory(root_, ignored)) {
      throw input_error(root_.string(), is_there(root_) ? "not a folder" : "no such folder",
                        "a model in diffusers' layout (unet/, vae/, text_encoder/, tokenizer/, scheduler/)");
    }
  }

  const fs::path& root() const { return root_; }
  bool has(std::string_view component) const { return is_there(root_ / component); }

  void require(std::string_view component, std::string_view why) const {
    if (!has(component)) throw input_error(root_.string(), fmt::format("no {}/", component), why);
  }

  JsonConfig config(std::string_view component) const { return JsonConfig::open(root_ / component / "config.json"); }

  // Counts the parameters and the digests of what it opens.
  WeightSource weights(std::string_view component) {
    WeightSource source = WeightSource::open(root_ / component);
    for (const fs::path& file : source.files()) {
      digest_.add(component).add(file.filename().string()).add(sha256_hex_of_file(file));
      const SafetensorsFile opened = SafetensorsFile::open(file);
      for (const auto& [name, entry] : opened.entries()) {
        parameters_ += c10::isFloatingType(entry.dtype) ? c10::multiply_integers(entry.shape) : 0;
      }
    }
    return source;
  }

  int64_t parameters() const { return parameters_; }
  std::string digest() { return digest_.hex(); }

 private:
  fs::path root_;
  int64_t parameters_ = 0;
  Hasher digest_;
};

void require_class(JsonConfig& config, const std::vector<std::string>& known) {
  const auto name = config.get<std::string>("_class_name");
  if (std::ranges::find(known, name) != known.end()) return;
  config.fail("_class_name", join(known, " or ") + "." + did_you_mean(name, known));
}

// The denoiser of unet/, and what the rest of the folder has to agree with.
std::unique_ptr<UNet2DCondition> open_unet(Folder& folder, at::TensorOptions options) {
  folder.require("unet", "unet/ with config.json and weights");
  JsonConfig config = folder.config("unet");
  require_class(config, {"UNet2DConditionModel"});
  return std::make_unique<UNet2DCondition>(std::move(config), folder.weights("unet"), options);
}

std::unique_ptr<AutoencoderKl> open_vae(Folder& folder, at::TensorOptions options) {
  JsonConfig config = folder.config("vae");
  require_class(config, {"AutoencoderKL"});
  return std::make_unique<AutoencoderKl>(std::move(config), folder.weights("vae"), options);
}

std::unique_ptr<PromptEncoder> open_text(Folder& folder, at::TensorOptions options) {
  folder.require("tokenizer", "the tokenizer/ that belongs to text_encoder/");
  JsonConfig config = folder.config("text_encoder");
  const std::vector<std::string> known{"CLIPTextModel"};
  const auto classes = config.get<std::vector<std::string>>("architectures", known);
  if (classes != known) config.fail("architectures", "CLIPTextModel");
  return std::make_unique<PromptEncoder>(text::ClipTokenizer::open(folder.root() / "tokenizer"),
                                         ClipText(std::move(config), folder.weights("text_encoder"), options),
                                         options.device(), folder.root().string());
}

void require_same(const Folder& folder, std::string_view what, int64_t found, int64_t expected) {
  if (found != expected) {
    throw input_error((folder.root() / "unet" / "config.json").string(), fmt::format("{} is {}", what, found),
                      fmt::format("{}", expected));
  }
}

}  // namespace

Model open_model(const ModelOptions& options) {
  const at::TensorOptions tensors = at::dtype(dtype_of(options.dtype)).device(device_of(options.device));
  Folder folder(options.path);
  Model model;
  model.name = fs::weakly_canonical(options.path).filename().string();

  std::unique_ptr<UNet2DCondition> unet = open_unet(folder, tensors);
  const UNet2DCondition::Facts facts = unet->facts();
  folder.require("scheduler", "scheduler/scheduler_config.json");
  model.schedule = read_scheduler_config(folder.root() / "scheduler" / "scheduler_config.json");
  model.denoiser = as_eps(std::move(unet), model.schedule);

  if (folder.has("vae")) {
    std::unique_ptr<AutoencoderKl> vae = open_vae(folder, tensors);
    model.latent_channels = vae->latent_channels();
    model.pixel_multiple = vae->scale();
    model.codec = std::move(vae);
  } else {
    model.latent_channels = 3;
    model.codec = std::make_unique<PixelCodec>();
  }
  require_same(folder, "in_channels", facts.in_channels, model.latent_channels);
  require_same(folder, "out_channels", facts.out_channels, model.latent_channels);
  model.sample_size = facts.sample_size;
  model.pixel_size = facts.sample_size * model.pixel_multiple;

  if (facts.context_channels > 0) {
    folder.require("text_encoder", "the text_encoder/ whose tokens the unet attends to");
    std::unique_ptr<PromptEncoder> text = open_text(folder, tensors);
    require_same(folder, "cross_attention_dim", facts.context_channels, text->channels());
    model.text_length = text->length();
    model.text_channels = text->channels();
    model.text = std::move(text);
  }
  model.parameters = folder.parameters();
  model.digest = folder.digest();
  return model;
}

}  // namespace roundtrip::model
