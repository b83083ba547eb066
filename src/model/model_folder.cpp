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
#include "model/component_folder.h"
#include "model/json_config.h"
#include "model/model_index.h"
#include "model/model_path.h"
#include "model/network.h"
#include "model/open_text.h"
#include "model/pixel_codec.h"
#include "model/prediction.h"
#include "model/scheduler_config.h"
#include "model/size_ids.h"
#include "model/torchscript_denoiser.h"

namespace roundtrip::model {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kPixelChannels = 3;

void require_class(JsonConfig& config, const std::vector<std::string>& known) {
  const auto name = config.get<std::string>("_class_name");
  if (std::ranges::find(known, name) != known.end()) return;
  config.fail("_class_name", join(known, " or ") + "." + did_you_mean(name, known));
}

// Opens the denoiser, with the facts that the rest of the folder has to agree with.
std::unique_ptr<Network> open_network(ComponentFolder& folder, at::TensorOptions options) {
  if (folder.has(kTorchScriptConfig)) {
    const TorchScriptConfig config = read_torchscript_config(folder.root());
    const bool inspected = options.device().is_meta();  // a module has to be loaded to be inspected
    std::unique_ptr<Network> network = open_torchscript(config, inspected ? options.device(at::kCPU) : options);
    folder.count("denoiser", config.module);
    return network;
  }
  const fs::path network = folder.network();
  if (std::error_code ignored; !fs::exists(network, ignored)) {
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

std::unique_ptr<AutoencoderKl> open_vae(ComponentFolder& folder, at::TensorOptions options) {
  JsonConfig config = folder.config("vae");
  require_class(config, {"AutoencoderKL"});
  return std::make_unique<AutoencoderKl>(std::move(config), folder.weights("vae"), options);
}

void require_same(const ComponentFolder& folder, std::string_view what, int64_t found, int64_t expected) {
  if (found != expected) {
    throw input_error((folder.network() / "config.json").string(), fmt::format("{} is {}", what, found),
                      fmt::format("{}", expected));
  }
}

// Checks that the network takes and returns as many channels as the diffusion has.
void require_latents(const ComponentFolder& folder, std::string_view what, int64_t found, int64_t expected) {
  if (found == expected) return;
  const bool takes_more = what == "in_channels" && found > expected;
  throw input_error((folder.network() / "config.json").string(), fmt::format("{} is {}", what, found),
                    fmt::format("{}{}", expected, takes_more ? " (does it take an image or a mask, too?)" : ""));
}

void read_schedule(const ComponentFolder& folder, const Network::Facts& facts, Model& model) {
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

void set_shift(double shift, const std::filesystem::path& folder, Model& model) {
  auto* flow = std::get_if<diffusion::FlowConfig>(&model.schedule);
  if (flow == nullptr) {
    throw Error(ErrorKind::kType, fmt::format("model.shift: {:g} was given; expected null, as {} is not a flow model",
                                              shift, folder.string()));
  }
  flow->shift = shift;
  flow->dynamic = false;
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
  ComponentFolder folder(path.folder);
  Model model;
  model.name = path.name;

  std::unique_ptr<Network> network = open_network(folder, tensors);
  const Network::Facts facts = network->facts();
  read_schedule(folder, facts, model);
  if (options.shift) set_shift(*options.shift, path.folder, model);

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
    std::unique_ptr<PromptEncoder> text = open_text(folder, index, facts, options.t5_tokens, tensors);
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
    check_t5_tokens(folder, facts, options.t5_tokens);
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
