#include "model/autoencoder_kl.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/error.h"
#include "model/attention_block.h"
#include "model/layers.h"
#include "model/resnet_block.h"
#include "model/unet_blocks.h"

namespace roundtrip::model {
namespace {

constexpr double kNormEps = 1e-6;
constexpr double kMinLogVariance = -30, kMaxLogVariance = 20;

struct VaeConfig {
  int64_t in_channels, out_channels, latent_channels;
  std::vector<int64_t> channels;                       // fine to coarse
  std::vector<bool> encoder_attends, decoder_attends;  // by stage, in the order of computation
  int64_t layers, norm_groups;
  Activation activation;
  bool mid_attention, quant_conv, post_quant_conv;
  double scaling_factor, shift_factor;
  bool force_upcast;
  int64_t sample_size = 0;  // informs callers; the layers take any
};

// Reads whether each stage attends to its pixels, from the names of their types.
std::vector<bool> read_types(JsonConfig& config, std::string_view key, const std::string& plain,
                             const std::string& attending, size_t count) {
  const auto types = config.get<std::vector<std::string>>(key, {plain});
  std::vector<bool> attends;
  for (const std::string& type : types) {
    if (type != plain && type != attending) config.fail(key, fmt::format("of {}, {}", plain, attending));
    attends.push_back(type == attending);
  }
  if (types.size() != count) config.fail(key, fmt::format("{} names, as block_out_channels has", count));
  return attends;
}

VaeConfig read_config(JsonConfig& config) {
  VaeConfig vae{.in_channels = config.get<int64_t>("in_channels", 3),
                .out_channels = config.get<int64_t>("out_channels", 3),
                .latent_channels = config.get<int64_t>("latent_channels", 4),
                .channels = config.get<std::vector<int64_t>>("block_out_channels", {64}),
                .encoder_attends = {},
                .decoder_attends = {},
                .layers = config.get<int64_t>("layers_per_block", 1),
                .norm_groups = config.get<int64_t>("norm_num_groups", 32),
                .activation = read_activation(config, "act_fn"),
                .mid_attention = config.get<bool>("mid_block_add_attention", true),
                .quant_conv = config.get<bool>("use_quant_conv", true),
                .post_quant_conv = config.get<bool>("use_post_quant_conv", true),
                .scaling_factor = config.get<double>("scaling_factor", 0.18215),
                .shift_factor = config.find<double>("shift_factor").value_or(0.0),
                .force_upcast = config.get<bool>("force_upcast", true)};
  if (vae.in_channels != 3) config.fail("in_channels", "3: pixels are RGB");
  if (vae.out_channels != 3) config.fail("out_channels", "3: pixels are RGB");
  if (vae.latent_channels < 1) config.fail("latent_channels", "1 or more");
  if (vae.layers < 1) config.fail("layers_per_block", "1 or more");
  if (vae.channels.empty()) config.fail("block_out_channels", "one or more stages");
  for (const int64_t channels : vae.channels) {
    if (channels < 1) config.fail("block_out_channels", "1 or more channels in each stage");
    if (vae.norm_groups < 1 || channels % vae.norm_groups != 0) {
      config.fail("norm_num_groups", fmt::format("a divisor of every stage's channels, and one has {}", channels));
    }
  }
  if (vae.scaling_factor == 0) config.fail("scaling_factor", "a number other than 0");
  vae.encoder_attends =
      read_types(config, "down_block_types", "DownEncoderBlock2D", "AttnDownEncoderBlock2D", vae.channels.size());
  vae.decoder_attends =
      read_types(config, "up_block_types", "UpDecoderBlock2D", "AttnUpDecoderBlock2D", vae.channels.size());
  config.refuse_unless("latents_mean", {nullptr});
  config.refuse_unless("latents_std", {nullptr});
  vae.sample_size = config.has("sample_size") ? config.at_least(1, "sample_size", 1) : 0;
  config.ignore({"sample_size"});
  config.refuse_unread();
  return vae;
}

ResnetShape resnet_shape(const VaeConfig& config, int64_t in, int64_t out) {
  return {
      .in = in, .out = out, .norm_groups = config.norm_groups, .norm_eps = kNormEps, .activation = config.activation};
}

AttentionBlockShape attention_shape(const VaeConfig& config, int64_t channels) {
  return {.channels = channels, .head_channels = channels, .norm_groups = config.norm_groups, .norm_eps = kNormEps};
}

struct MidBlock {
  ResnetBlock first, second;
  std::optional<AttentionBlock> attention;

  MidBlock(const WeightScope& weights, const VaeConfig& config)
      : first(weights / "resnets" / 0, shape(config)), second(weights / "resnets" / 1, shape(config)) {
    if (!config.mid_attention) return;
    attention.emplace(weights / "attentions" / 0, attention_shape(config, config.channels.back()));
  }

  static ResnetShape shape(const VaeConfig& config) {
    return resnet_shape(config, config.channels.back(), config.channels.back());
  }

  Tensor operator()(const Tensor& x) const {
    const Tensor h = first(x);
    return second(attention ? (*attention)(h) : h);
  }
};

struct Stage {
  std::vector<ResnetBlock> resnets;
  std::vector<AttentionBlock> attentions;  // none, or one for each resnet
  std::optional<Conv2d> resample;

  Stage(const WeightScope& weights, const VaeConfig& config, int64_t in, int64_t out, int64_t layers, bool attends) {
    for (int64_t layer = 0; layer < layers; ++layer) {
      resnets.emplace_back(weights / "resnets" / layer, resnet_shape(config, layer == 0 ? in : out, out));
      if (attends) attentions.emplace_back(weights / "attentions" / layer, attention_shape(config, out));
    }
  }

  // Keeps the resolution of x: `resample` is applied by the caller.
  Tensor operator()(Tensor x) const {
    for (size_t layer = 0; layer < resnets.size(); ++layer) {
      x = resnets[layer](x);
      if (!attentions.empty()) x = attentions[layer](x);
    }
    return x;
  }
};

struct Encoder {
  Conv2d conv_in;
  std::vector<Stage> stages;
  MidBlock mid;
  GroupNorm norm_out;
  Conv2d conv_out;

  Encoder(const WeightScope& weights, const VaeConfig& config)
      : conv_in(weights / "conv_in", config.in_channels, config.channels.front(), {}),
        mid(weights / "mid_block", config),
        norm_out(weights / "conv_norm_out", config.channels.back(), config.norm_groups, kNormEps),
        conv_out(weights / "conv_out", config.channels.back(), 2 * config.latent_channels, {}) {
    int64_t in = config.channels.front();
    for (size_t s = 0; s < config.channels.size(); ++s) {
      const WeightScope scope = weights / "down_blocks" / s;
      const int64_t out = config.channels[s];
      Stage& stage = stages.emplace_back(scope, config, in, out, config.layers, config.encoder_attends[s]);
      if (s + 1 < config.channels.size()) {
        stage.resample.emplace(scope / "downsamplers" / 0 / "conv", out, out,
                               Conv2d::Window{.stride = 2, .padding = 0});
      }
      in = out;
    }
  }

  Tensor operator()(const Tensor& pixels) const {
    Tensor h = conv_in(pixels);
    for (const Stage& stage : stages) {
      h = stage(h);
      if (stage.resample) h = downsample(*stage.resample, h);
    }
    return conv_out(silu(norm_out(mid(h))));
  }
};

struct Decoder {
  Conv2d conv_in;
  MidBlock mid;
  std::vector<Stage> stages;  // coarse to fine
  GroupNorm norm_out;
  Conv2d conv_out;

  Decoder(const WeightScope& weights, const VaeConfig& config)
      : conv_in(weights / "conv_in", config.latent_channels, config.channels.back(), {}),
        mid(weights / "mid_block", config),
        norm_out(weights / "conv_norm_out", config.channels.front(), config.norm_groups, kNormEps),
        conv_out(weights / "conv_out", config.channels.front(), config.out_channels, {}) {
    int64_t in = config.channels.back();
    for (size_t s = 0; s < config.channels.size(); ++s) {
      const WeightScope scope = weights / "up_blocks" / s;
      const int64_t out = config.channels[config.channels.size() - 1 - s];
      Stage& stage = stages.emplace_back(scope, config, in, out, config.layers + 1, config.decoder_attends[s]);
      if (s + 1 < config.channels.size()) {
        stage.resample.emplace(scope / "upsamplers" / 0 / "conv", out, out, Conv2d::Window{});
      }
      in = out;
    }
  }

  Tensor operator()(const Tensor& latents) const {
    Tensor h = mid(conv_in(latents));
    for (const Stage& stage : stages) {
      h = stage(h);
      if (stage.resample) h = (*stage.resample)(upsample_nearest(h, {2 * h.size(2), 2 * h.size(3)}));
    }
    return conv_out(silu(norm_out(h)));
  }
};

}  // namespace

struct AutoencoderKl::Layers {
  VaeConfig config;
  Encoder encoder;
  Decoder decoder;
  std::optional<Conv2d> quant, post_quant;

  Layers(const VaeConfig& config, const WeightScope& weights)
      : config(config), encoder(weights / "encoder", config), decoder(weights / "decoder", config) {
    const Conv2d::Window point{.kernel = 1, .padding = 0};
    const int64_t channels = config.latent_channels;
    if (config.quant_conv) quant.emplace(weights / "quant_conv", 2 * channels, 2 * channels, point);
    if (config.post_quant_conv) post_quant.emplace(weights / "post_quant_conv", channels, channels, point);
  }

  Tensor prepared(const Tensor& picture) const {
    return picture.to(decoder.conv_in.weight.options()).contiguous(at::MemoryFormat::ChannelsLast);
  }
};

AutoencoderKl::AutoencoderKl(JsonConfig config, WeightSource weights, at::TensorOptions options) {
  const VaeConfig vae = read_config(config);
  if (vae.force_upcast && at::isReducedFloatingType(options.dtype().toScalarType()))
    options = options.dtype(at::kFloat);
  layers_ = std::make_unique<const Layers>(vae, WeightScope(weights, options));
  refuse_unread(weights);
}

AutoencoderKl::~AutoencoderKl() = default;

diffusion::Codec::Posterior AutoencoderKl::encode(const Tensor& pixels) {
  const VaeConfig& config = layers_->config;
  std::vector<Tensor> means, stds;
  for (const Tensor& image : pixels.split(1)) {
    Tensor moments = layers_->encoder(layers_->prepared(image));  // [1, 2 C, h, w]
    if (layers_->quant) moments = (*layers_->quant)(moments);
    const std::vector<Tensor> mean_and_log_variance = moments.contiguous().to(pixels.options()).chunk(2, 1);
    const Tensor log_variance = mean_and_log_variance[1].clamp(kMinLogVariance, kMaxLogVariance);
    means.push_back((mean_and_log_variance[0] - config.shift_factor) * config.scaling_factor);
    stds.push_back(at::exp(0.5 * log_variance) * std::abs(config.scaling_factor));
  }
  return {.mean = at::cat(means), .std = at::cat(stds)};
}

Tensor AutoencoderKl::decode(const Tensor& latents) {
  std::vector<Tensor> images;
  for (const Tensor& latent : latents.split(1)) {
    Tensor z = layers_->prepared(latent / layers_->config.scaling_factor + layers_->config.shift_factor);
    if (layers_->post_quant) z = (*layers_->post_quant)(z);
    images.push_back(layers_->decoder(z).contiguous().to(latents.options()));
  }
  return at::cat(images);
}

int64_t AutoencoderKl::latent_channels() const { return layers_->config.latent_channels; }

int64_t AutoencoderKl::sample_size() const { return layers_->config.sample_size; }

int64_t AutoencoderKl::scale() const { return int64_t{1} << (layers_->config.channels.size() - 1); }

}  // namespace roundtrip::model
