#include "model/model_folder.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "model/autoencoder_kl.h"
#include "model/class_labels.h"
#include "model/clip_text.h"
#include "model/flow_prompt_encoder.h"
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

  // Folder with the network's files: transformer/, unet/, or the folder itself.
  fs::path network() const {
    if (has("transformer") && has("unet")) {
      throw input_error(root_.string(), "both transformer/ and unet/", "the one network of a model");
    }
    if (has("transformer")) return root_ / "transformer";
    return has("unet") || !has("config.json") ? root_ / "unet" : root_;
  }

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
  const fs::path network = folder.network();
  if (!is_there(network)) {
    throw input_error(folder.root().string(), "no unet/ and no transformer/",
                      "one of them with config.json and weights");
  }
  JsonConfig config = JsonConfig::open(network / "config.json");
  require_class(config, Network::Plugins::names());
  const std::string family = config.get<std::string>("_class_name");
  const WeightOpener weights = [&] {
    return folder.weights(network == folder.root() ? fs::path(".") : network.filename());
  };
  return Network::Plugins::make(family, std::move(config), weights, options);
}

std::unique_ptr<AutoencoderKl> open_vae(Folder& folder, at::TensorOptions options) {
  JsonConfig config = folder.config("vae");
  require_class(config, {"AutoencoderKL"});
  return std::make_unique<AutoencoderKl>(std::move(config), folder.weights("vae"), options);
}

TextTower open_tower(Folder& folder, const std::string& encoder, const std::string& tokenizer,
                     const std::vector<std::string>& classes, at::TensorOptions options) {
  folder.require(encoder, fmt::format("the {}/ whose tokens the network attends to", encoder));
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

const std::vector<std::string> kPlain{"CLIPTextModel"}, kProjected{"CLIPTextModelWithProjection"};

T5Tower open_t5(Folder& folder, const std::string& encoder, const std::string& tokenizer, int64_t tokens,
                at::TensorOptions options) {
  folder.require(encoder, fmt::format("the {}/ whose tokens the network attends to", encoder));
  folder.require(tokenizer, fmt::format("the {}/ that belongs to {}/", tokenizer, encoder));
  JsonConfig config = folder.config(encoder);
  const auto found = config.get<std::vector<std::string>>("architectures", {"T5EncoderModel"});
  if (found != std::vector<std::string>{"T5EncoderModel"}) config.fail("architectures", "T5EncoderModel");
  return T5Tower(text::T5Tokenizer::open(folder.root() / tokenizer),
                 T5Encoder(std::move(config), folder.weights(encoder), options), tokens, options.device(),
                 (folder.root() / encoder).string());
}

// SD3's third encoder may be left out, in the index or in the folder.
std::unique_ptr<PromptEncoder> open_sd3_text(Folder& folder, const ModelIndex& index, const Network::Facts& facts,
                                             int64_t t5_tokens, at::TensorOptions options) {
  TextTower first = open_tower(folder, "text_encoder", "tokenizer", kProjected, options);
  TextTower second = open_tower(folder, "text_encoder_2", "tokenizer_2", kProjected, options);
  std::optional<T5Tower> t5;
  if (folder.has("text_encoder_3") && !index.left_out.contains("text_encoder_3")) {
    t5.emplace(open_t5(folder, "text_encoder_3", "tokenizer_3", t5_tokens, options));
  }
  return std::make_unique<Sd3PromptEncoder>(std::move(first), std::move(second), std::move(t5), facts.context_channels,
                                            t5_tokens, folder.root().string());
}

// The number of T5's tokens of a prompt: as set, or the pipeline's own.
int64_t t5_tokens(const ModelOptions& options, Network::Prompts prompts) {
  const bool reads_t5 = prompts == Network::Prompts::kSd3 || prompts == Network::Prompts::kFlux;
  if (options.t5_tokens && !reads_t5) {
    throw Error(ErrorKind::kType, fmt::format("model.t5_tokens: {} was given; expected null, as {} reads no T5 encoder",
                                              *options.t5_tokens, options.path.string()));
  }
  return options.t5_tokens.value_or(prompts == Network::Prompts::kSd3 ? 256 : 512);
}

std::unique_ptr<PromptEncoder> open_text(Folder& folder, const ModelIndex& index, const Network::Facts& facts,
                                         int64_t t5_tokens, at::TensorOptions options) {
  if (folder.has(kTorchScriptConfig)) {
    if (const auto table = read_torchscript_config(folder.root()).embeddings) {
      folder.count("embeddings", *table);
      return std::make_unique<PromptTable>(*table, facts.context_channels, options.device());
    }
  }
  switch (facts.prompts) {
    case Network::Prompts::kClip:
      return std::make_unique<ClipPromptEncoder>(open_tower(folder, "text_encoder", "tokenizer", kPlain, options));
    case Network::Prompts::kSdxl: {
      TextTower first = open_tower(folder, "text_encoder", "tokenizer", {kPlain[0], kProjected[0]}, options);
      TextTower second = open_tower(folder, "text_encoder_2", "tokenizer_2", kProjected, options);
      return std::make_unique<SdxlPromptEncoder>(std::move(first), std::move(second),
                                                 index.force_zeros_for_empty_prompt, folder.root().string());
    }
    case Network::Prompts::kSd3:
      return open_sd3_text(folder, index, facts, t5_tokens, options);
    case Network::Prompts::kFlux: {
      TextTower clip = open_tower(folder, "text_encoder", "tokenizer", kPlain, options);
      return std::make_unique<FluxPromptEncoder>(std::move(clip),
                                                 open_t5(folder, "text_encoder_2", "tokenizer_2", t5_tokens, options));
    }
    case Network::Prompts::kClasses:
      return std::make_unique<ClassLabels>(facts.classes, index.labels, folder.root().string());
  }
  return {};
}

void require_same(const Folder& folder, std::string_view what, int64_t found, int64_t expected) {
  if (found != expected) {
    throw input_error((folder.network() / "config.json").string(), fmt::format("{} is {}", what, found),
                      fmt::format("{}", expected));
  }
}

// Checks that the network takes and returns as many channels as the diffusion has.
void require_latents(const Folder& folder, std::string_view what, int64_t found, int64_t expected) {
  if (found == expected) return;
  const bool takes_more = what == "in_channels" && found > expected;
  throw input_error((folder.network() / "config.json").string(), fmt::format("{} is {}", what, found),
                    fmt::format("{}{}", expected, takes_more ? " (does it take an image or a mask, too?)" : ""));
}

void read_schedule(const Folder& folder, const Network::Facts& facts, Model& model) {
  if (facts.flow) {
    model.schedule = read_flow_config(JsonConfig::open(folder.scheduler_config()), *facts.flow);
    return;
  }
  const diffusion::ScheduleConfig schedule = read_scheduler_config(folder.scheduler_config());
  if (facts.timesteps > 0 && facts.timesteps < schedule.train_steps) {
    throw input_error(folder.scheduler_config().string(),
                      fmt::format("num_train_timesteps is {}", schedule.train_steps),
                      fmt::format("at most the {} that the network has learned", facts.timesteps));
  }
  model.schedule = schedule;
}

void fill_sizes(const Network::Facts& facts, Model& model) {
  model.sample_size = facts.sample_size;
  model.pixel_multiple = model.pixels_per_latent * facts.patch;
  model.max_pixels = facts.max_side * model.pixels_per_latent;
  model.square = facts.square;
  const bool takes_codecs = facts.flow && facts.sample_size[0] == 0;
  for (size_t d = 0; d < 2; ++d) {
    if (!takes_codecs) model.pixel_size[d] = facts.sample_size[d] * model.pixels_per_latent;
  }
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
  read_schedule(folder, facts, model);

  if (folder.has("vae")) {
    std::unique_ptr<AutoencoderKl> vae = open_vae(folder, tensors);
    model.latent_channels = vae->latent_channels();
    model.pixels_per_latent = vae->scale();
    model.pixel_size = {vae->sample_size(), vae->sample_size()};  // of a network that names none
    model.codec = std::move(vae);
  } else {
    model.latent_channels = kPixelChannels;
    model.codec = std::make_unique<PixelCodec>();
  }
  require_latents(folder, "in_channels", facts.in_channels, model.latent_channels);
  require_latents(folder, "out_channels", facts.out_channels, model.latent_channels);
  fill_sizes(facts, model);
  model.guidance = facts.guidance;

  if (facts.context_channels > 0 || facts.classes > 0) {
    std::unique_ptr<PromptEncoder> text = open_text(folder, index, facts, t5_tokens(options, facts.prompts), tensors);
    const bool is_joint = facts.flow.has_value();
    require_same(folder, is_joint ? "joint_attention_dim" : "cross_attention_dim", facts.context_channels,
                 text->channels());
    require_same(
        folder, is_joint ? "pooled_projection_dim" : "the pooled text's share of projection_class_embeddings_input_dim",
        facts.pooled_channels, facts.pooled_channels > 0 ? text->pooled_channels() : 0);
    model.has_text = true;
    model.text_length = text->length();
    model.text_channels = text->channels();
    model.text = std::move(text);
  } else {
    t5_tokens(options, facts.prompts);  // throws where it is set
  }
  if (const auto* schedule = std::get_if<diffusion::ScheduleConfig>(&model.schedule)) {
    model.denoiser = as_eps(std::move(network), *schedule);
  } else {
    model.denoiser = as_velocity(std::move(network));
  }
  if (facts.prompts == Network::Prompts::kSdxl) {
    model.denoiser = with_size_ids(std::move(model.denoiser), model.pixels_per_latent);
  }
  model.parameters = folder.parameters();
  model.weight_files = folder.weight_files();
  return model;
}

}  // namespace roundtrip::model
