#include "model/model_folder.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "model/autoencoder_kl.h"
#include "model/clip_text.h"
#include "model/json_config.h"
#include "model/model_index.h"
#include "model/model_path.h"
#include "model/network.h"
#include "model/pixel_codec.h"
#include "model/prediction.h"
#include "model/prompt_encoder.h"
#include "model/prompt_table.h"
#include "model/safetensors.h"
#include "model/scheduler_config.h"
#include "model/size_ids.h"
#include "model/torchscript_denoiser.h"
#include "model/unet.h"

namespace roundtrip::model {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kPixelChannels = 3;

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

// Components of one folder while it is opened: configs, weights, and a count of both.
class Folder {
 public:
  explicit Folder(fs::path root) : root_(std::move(root)) {}

  const fs::path& root() const { return root_; }
  bool has(std::string_view component) const { return is_there(root_ / component); }

  void require(std::string_view component, std::string_view why) const {
    if (!has(component)) throw input_error(root_.string(), fmt::format("no {}/", component), why);
  }

  // Folder with the unet's files: unet/, or the folder itself.
  fs::path unet() const { return has("unet") || !has("config.json") ? root_ / "unet" : root_; }

  fs::path scheduler_config() const {
    constexpr const char* kName = "scheduler_config.json";
    if (!has("scheduler") && has(kName)) return root_ / kName;
    require("scheduler", "scheduler/scheduler_config.json");
    return root_ / "scheduler" / kName;
  }

  JsonConfig config(const fs::path& component) const { return JsonConfig::open(root_ / component / "config.json"); }

  // Opens weights and counts their parameters and files.
  WeightSource weights(const fs::path& component) {
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

  // Counts a file that is not read tensor by tensor.
  void count(std::string_view component, const fs::path& file) {
    weight_files_.push_back({std::string(component), file});
  }

  int64_t parameters() const { return parameters_; }
  const std::vector<WeightFile>& weight_files() const { return weight_files_; }

 private:
  fs::path root_;
  int64_t parameters_ = 0;
  std::vector<WeightFile> weight_files_;
};

void require_class(JsonConfig& config, const std::vector<std::string>& known) {
  const auto name = config.get<std::string>("_class_name");
  if (std::ranges::find(known, name) != known.end()) return;
  config.fail("_class_name", join(known, " or ") + "." + did_you_mean(name, known));
}

// Opens the denoiser, with the facts that the rest of the folder has to agree with.
std::unique_ptr<Network> open_network(Folder& folder, at::TensorOptions options) {
  if (folder.has(kTorchScriptConfig)) {
    const TorchScriptConfig config = read_torchscript_config(folder.root());
    const bool inspected = options.device().is_meta();  // a module has to be loaded to be inspected
    std::unique_ptr<Network> network = open_torchscript(config, inspected ? options.device(at::kCPU) : options);
    folder.count("denoiser", config.module);
    return network;
  }
  const fs::path unet = folder.unet();
  if (!is_there(unet)) throw input_error(folder.root().string(), "no unet/", "unet/ with config.json and weights");
  JsonConfig config = JsonConfig::open(unet / "config.json");
  require_class(config, Network::Plugins::names());
  const std::string family = config.get<std::string>("_class_name");
  const WeightOpener weights = [&] { return folder.weights("unet" == unet.filename() ? "unet" : "."); };
  return Network::Plugins::make(family, std::move(config), weights, options);
}

std::unique_ptr<AutoencoderKl> open_vae(Folder& folder, at::TensorOptions options) {
  JsonConfig config = folder.config("vae");
  require_class(config, {"AutoencoderKL"});
  return std::make_unique<AutoencoderKl>(std::move(config), folder.weights("vae"), options);
}

TextTower open_tower(Folder& folder, const std::string& encoder, const std::string& tokenizer,
                     const std::vector<std::string>& classes, at::TensorOptions options) {
  folder.require(encoder, fmt::format("the {}/ whose tokens the unet attends to", encoder));
  folder.require(tokenizer, fmt::format("the {}/ that belongs to {}/", tokenizer, encoder));
  JsonConfig config = folder.config(encoder);
  const auto found = config.get<std::vector<std::string>>("architectures", {classes.front()});
  if (found.size() != 1 || std::ranges::find(classes, found[0]) == classes.end()) {
    config.fail("architectures", join(classes, " or "));
  }
  return TextTower(text::ClipTokenizer::open(folder.root() / tokenizer),
                   ClipText(std::move(config), folder.weights(encoder), options), options.device(),
                   (folder.root() / encoder).string());
}

std::unique_ptr<PromptEncoder> open_text(Folder& folder, const ModelIndex& index, const Network::Facts& facts,
                                         at::TensorOptions options) {
  if (folder.has(kTorchScriptConfig)) {
    if (const auto table = read_torchscript_config(folder.root()).embeddings) {
      folder.count("embeddings", *table);
      return std::make_unique<PromptTable>(*table, facts.context_channels, options.device());
    }
  }
  const std::vector<std::string> plain{"CLIPTextModel"}, projected{"CLIPTextModelWithProjection"};
  if (facts.pooled_channels == 0) {
    return std::make_unique<ClipPromptEncoder>(open_tower(folder, "text_encoder", "tokenizer", plain, options));
  }
  TextTower first = open_tower(folder, "text_encoder", "tokenizer", {plain[0], projected[0]}, options);
  TextTower second = open_tower(folder, "text_encoder_2", "tokenizer_2", projected, options);
  return std::make_unique<SdxlPromptEncoder>(std::move(first), std::move(second), index.force_zeros_for_empty_prompt,
                                             folder.root().string());
}

void require_same(const Folder& folder, std::string_view what, int64_t found, int64_t expected) {
  if (found != expected) {
    throw input_error((folder.unet() / "config.json").string(), fmt::format("{} is {}", what, found),
                      fmt::format("{}", expected));
  }
}

// Checks that the network takes and returns as many channels as the diffusion has.
void require_latents(const Folder& folder, std::string_view what, int64_t found, int64_t expected) {
  if (found == expected) return;
  const bool takes_more = what == "in_channels" && found > expected;
  throw input_error((folder.unet() / "config.json").string(), fmt::format("{} is {}", what, found),
                    fmt::format("{}{}", expected, takes_more ? " (does it take an image or a mask, too?)" : ""));
}

}  // namespace

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

Model open_model(const ModelOptions& options) {
  const at::TensorOptions tensors = at::dtype(dtype_of(options.dtype)).device(options.device);
  const ModelPath path = find_model(options.path);
  const ModelIndex index = read_model_index(path.folder);
  Folder folder(path.folder);
  Model model;
  model.name = path.name;

  std::unique_ptr<Network> network = open_network(folder, tensors);
  const Network::Facts facts = network->facts();
  model.schedule = read_scheduler_config(folder.scheduler_config());
  if (facts.timesteps > 0 && facts.timesteps < model.schedule.train_steps) {
    throw input_error(folder.scheduler_config().string(),
                      fmt::format("num_train_timesteps is {}", model.schedule.train_steps),
                      fmt::format("at most the {} that the unet has learned", facts.timesteps));
  }

  if (folder.has("vae")) {
    std::unique_ptr<AutoencoderKl> vae = open_vae(folder, tensors);
    model.latent_channels = vae->latent_channels();
    model.pixel_multiple = vae->scale();
    model.codec = std::move(vae);
  } else {
    model.latent_channels = kPixelChannels;
    model.codec = std::make_unique<PixelCodec>();
  }
  require_latents(folder, "in_channels", facts.in_channels, model.latent_channels);
  require_latents(folder, "out_channels", facts.out_channels, model.latent_channels);
  for (size_t d = 0; d < 2; ++d) {
    model.sample_size[d] = facts.sample_size[d];
    model.pixel_size[d] = facts.sample_size[d] * model.pixel_multiple;
  }

  if (facts.context_channels > 0) {
    std::unique_ptr<PromptEncoder> text = open_text(folder, index, facts, tensors);
    require_same(folder, "cross_attention_dim", facts.context_channels, text->channels());
    if (facts.pooled_channels > 0) {
      require_same(folder, "the pooled text's share of projection_class_embeddings_input_dim", facts.pooled_channels,
                   text->pooled_channels());
    }
    model.text_length = text->length();
    model.text_channels = text->channels();
    model.text = std::move(text);
  }
  model.denoiser = as_eps(std::move(network), model.schedule);
  if (facts.pooled_channels > 0) model.denoiser = with_size_ids(std::move(model.denoiser), model.pixel_multiple);
  model.parameters = folder.parameters();
  model.weight_files = folder.weight_files();
  return model;
}

}  // namespace roundtrip::model
