#include "model/unet.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include "base/error.h"
#include "diffusion/slices.h"
#include "model/attention_control.h"

namespace roundtrip::model {
namespace {

using diffusion::Conditioning;

constexpr int64_t kSizeIds = 6;

// The guidance scale of a latent consistency model: sinusoids of 1000 (w - 1), added to those of the time (Luo et al.,
// "Latent Consistency Models", 2023, as diffusers' LatentConsistencyModelPipeline computes them).
constexpr double kGuidanceFactor = 1000;
Sinusoids guidance_sinusoids(int64_t channels) {
  return {.channels = channels, .cosine_first = false, .frequency_shift = 1};
}

Conv2d::Window same_size(int64_t kernel) { return {.kernel = kernel, .padding = kernel / 2}; }

int64_t channels_of(const std::variant<Sinusoids, LearnedTimes>& times) {
  return std::visit([](const auto& way) { return way.channels; }, times);
}

std::vector<DownStage> down_stages(const WeightScope& weights, const UNetShape& shape, TimeProjections& times) {
  std::vector<DownStage> stages;
  int64_t in = shape.down.front().channels;
  for (size_t s = 0; s < shape.down.size(); ++s) {
    stages.emplace_back(weights / "down_blocks" / s, shape.down[s], in, times);
    in = shape.down[s].channels;
  }
  return stages;
}

// A stage has one layer more than its counterpart on the way down: it takes one skip from each of that stage's layers
// and one from the downsampling before it (at the top: the first convolution).
std::vector<UpStage> up_stages(const WeightScope& weights, const UNetShape& shape, TimeProjections& times) {
  std::vector<UpStage> stages;
  int64_t from_below = shape.down.back().channels;
  for (size_t u = 0; u < shape.up.size(); ++u) {
    const size_t s = shape.up.size() - 1 - u;
    std::vector<int64_t> skip_channels(shape.down[s].layers(), shape.down[s].channels);
    skip_channels.push_back(shape.down[s == 0 ? 0 : s - 1].channels);
    stages.emplace_back(weights / "up_blocks" / u, shape.up[u], from_below, skip_channels, times);
    from_below = shape.up[u].channels;
  }
  return stages;
}

}  // namespace

struct UNet::Layers {
  Layers(const UNetShape& shape, const WeightScope& weights)
      : shape(shape),
        conv_in(weights / "conv_in", shape.in_channels, shape.down.front().channels, same_size(shape.kernel_in)),
        time_embedding(weights / "time_embedding", channels_of(shape.times), shape.embedding_channels,
                       shape.embedding_activation, shape.embedding_last),
        times(shape.embedding_channels, shape.activation),
        down(down_stages(weights, shape, times)),
        up(up_stages(weights, shape, times)),
        norm_out(weights / "conv_norm_out", shape.down.front().channels, shape.norm_groups, shape.norm_eps),
        conv_out(weights / "conv_out", shape.down.front().channels, shape.out_channels, same_size(shape.kernel_out)) {
    if (const auto* learned = std::get_if<LearnedTimes>(&shape.times)) {
      time_table = weights.tensor("time_proj.weight", {learned->steps, learned->channels});
    }
    if (shape.guidance_channels > 0) {
      guidance_projection.emplace(weights / "time_embedding" / "cond_proj", shape.guidance_channels,
                                  channels_of(shape.times), /*has_bias=*/false);
    }
    if (shape.added) {
      const int64_t channels = shape.added->pooled_channels + kSizeIds * shape.added->sinusoids.channels;
      added_embedding.emplace(weights / "add_embedding", channels, shape.embedding_channels);
    }
    if (shape.projected_tokens) {
      token_projection.emplace(weights / "encoder_hid_proj", shape.context_channels, *shape.projected_tokens);
    }
    if (shape.mid) mid.emplace(weights / "mid_block", *shape.mid, times);
    times.finish();
  }

  // t [R], pooled [R, P], size_ids [R, 6], guidance [R] -> [R, embedding channels]
  Tensor embedding(const Tensor& t, const Conditioning& conditioning) const;

  // x [R, C, H, W] channels_last -> [R, out, H, W]
  Tensor operator()(const Tensor& x, const Tensor& t, const Conditioning& conditioning,
                    AttentionControl* control) const;

  UNetShape shape;
  Conv2d conv_in;
  Tensor time_table;  // [T, C], undefined if times are sinusoids
  EmbeddingLayers time_embedding;
  std::optional<Linear> guidance_projection;
  std::optional<EmbeddingLayers> added_embedding;
  std::optional<Linear> token_projection;
  TimeProjections times;
  std::vector<DownStage> down;
  std::optional<MidStage> mid;
  std::vector<UpStage> up;
  GroupNorm norm_out;
  Conv2d conv_out;
};

Tensor UNet::Layers::embedding(const Tensor& t, const Conditioning& conditioning) const {
  Tensor waves =
      time_table.defined() ? time_table.index_select(0, t.to(at::kLong)) : std::get<Sinusoids>(shape.times)(t);
  if (guidance_projection) {
    const Tensor scale = kGuidanceFactor * (conditioning.guidance - 1);
    const Tensor told = guidance_sinusoids(shape.guidance_channels)(scale);
    const at::ScalarType dtype = guidance_projection->weight.scalar_type();
    waves = waves.to(dtype) + (*guidance_projection)(told.to(dtype));
  }
  Tensor sum = time_embedding(waves);
  if (added_embedding) {
    const Tensor sizes = shape.added->sinusoids(conditioning.size_ids.flatten());  // [6 R, C]
    const Tensor pooled = conditioning.pooled.to(sizes.scalar_type());
    sum = sum + (*added_embedding)(at::cat({pooled, sizes.view({pooled.size(0), -1})}, 1));
  }
  return shape.embedding_sum ? activate(*shape.embedding_sum, std::move(sum)) : sum;
}

Tensor UNet::Layers::operator()(const Tensor& x, const Tensor& t, const Conditioning& conditioning,
                                AttentionControl* control) const {
  const auto enter = [&](diffusion::Place place) {
    if (control) control->enter(place);
  };
  const Signals signals{
      .context = token_projection ? (*token_projection)(conditioning.tokens) : conditioning.tokens,
      .times = times(embedding(t, conditioning)),
      .control = control,
  };
  Tensor h = conv_in(shape.centers_input ? 2 * x - 1 : x);
  std::vector<Tensor> skips{h};
  enter(diffusion::Place::kDown);
  for (const DownStage& stage : down) h = stage(std::move(h), signals, skips);
  enter(diffusion::Place::kMid);
  if (mid) h = (*mid)(std::move(h), signals);
  enter(diffusion::Place::kUp);
  for (const UpStage& stage : up) h = stage(std::move(h), signals, skips);
  return conv_out(activate(shape.activation_out, norm_out(h))).contiguous();
}

UNet::UNet(const UNetShape& shape, WeightSource weights, at::TensorOptions options) {
  facts_ = {.in_channels = shape.in_channels,
            .out_channels = shape.out_channels,
            .sample_size = shape.sample_size,
            .context_channels = shape.context_channels,
            .pooled_channels = shape.added ? shape.added->pooled_channels : 0,
            .prompts = shape.added ? Prompts::kSdxl : Prompts::kClip,
            .guidance = shape.guidance_channels > 0 ? diffusion::GuidanceWay::kTold : diffusion::GuidanceWay::kCfg};
  if (const auto* learned = std::get_if<LearnedTimes>(&shape.times)) facts_.timesteps = learned->steps;
  layers_ = std::make_unique<const Layers>(shape, WeightScope(weights, options));
  refuse_unread(weights);
}

UNet::~UNet() = default;

std::vector<diffusion::Site> UNet::attention_sites(int64_t h, int64_t w) const {
  const UNetShape& shape = layers_->shape;
  std::vector<diffusion::Site> sites;
  const auto add = [&](diffusion::Place place, const StageShape& stage, std::array<int64_t, 2> size) {
    if (!stage.reads_text()) return;
    for (const int64_t depth : stage.depths) {
      for (int64_t b = 0; b < depth; ++b) {
        sites.push_back({place, static_cast<int>(sites.size()), size[0], size[1]});
      }
    }
  };
  std::vector<std::array<int64_t, 2>> sizes;  // of the stages down
  std::array<int64_t, 2> size = {h, w};
  for (const StageShape& stage : shape.down) {
    add(diffusion::Place::kDown, stage, size);
    sizes.push_back(size);
    const bool rounds_up = stage.resampler == Resampler::kConv && stage.downsample_padding == 1;
    if (stage.resampler == Resampler::kNone) continue;
    for (int64_t& side : size) side = (side + (rounds_up ? 1 : 0)) / 2;
  }
  if (shape.mid) add(diffusion::Place::kMid, *shape.mid, size);
  for (size_t u = 0; u < shape.up.size(); ++u) add(diffusion::Place::kUp, shape.up[u], sizes[sizes.size() - 1 - u]);
  return sites;
}

std::vector<std::string> UNet::resnets() const {
  const UNetShape& shape = layers_->shape;
  std::vector<std::string> names;
  const auto add = [&](const std::string& stage, int64_t count) {
    for (int64_t layer = 0; layer < count; ++layer) names.push_back(fmt::format("{}.resnets.{}", stage, layer));
  };
  for (size_t s = 0; s < shape.down.size(); ++s) add(fmt::format("down_blocks.{}", s), shape.down[s].layers());
  if (shape.mid) add("mid_block", shape.mid->layers() + 1);
  for (size_t u = 0; u < shape.up.size(); ++u) add(fmt::format("up_blocks.{}", u), shape.up[u].layers());
  return names;
}

bool UNet::takes_plans() const {
  const auto [h, w] = facts_.sample_size;
  return !attention_sites(std::max<int64_t>(h, 1), std::max<int64_t>(w, 1)).empty();
}

Tensor UNet::predict(const diffusion::Batch& batch) const {
  const Tensor& x = batch.x;
  const Conditioning& conditioning = batch.conditioning;
  const at::TensorOptions options = layers_->conv_in.weight.options();
  const Tensor picture = x.to(options).contiguous(at::MemoryFormat::ChannelsLast);
  const Tensor times = batch.t.to(options.device());
  check(facts_.context_channels == 0 || conditioning.tokens.defined(),
        "a network that attends to text is given tokens");
  check(facts_.pooled_channels == 0 || (conditioning.pooled.defined() && conditioning.size_ids.defined()),
        "a network that reads a pooled text and sizes is given them");
  const bool told = facts_.guidance == diffusion::GuidanceWay::kTold;
  check(!told || conditioning.guidance.defined(), "a network that reads a guidance scale is given it");
  Conditioning given;
  if (told) given.guidance = conditioning.guidance.to(options.device());
  if (facts_.context_channels > 0) given.tokens = conditioning.tokens.to(options);
  if (facts_.pooled_channels > 0) {
    given.pooled = conditioning.pooled.to(options);
    given.size_ids = conditioning.size_ids.to(options.device());
  }

  // The backward pass runs in one thread, so work with gradients is sliced by whole requests, in the engine.
  const int64_t slices = at::GradMode::is_enabled() ? 1 : diffusion::slices_that_pay(x.size(0), options.device());
  const std::vector<int64_t> borders = diffusion::slice_borders(slices, x.size(0), batch.linked);
  std::vector<Tensor> predicted(borders.size() - 1);
  diffusion::in_slices(borders, [&](int64_t s, int64_t from, int64_t count) {
    std::vector<diffusion::LinkedRows> linked;
    std::ranges::copy_if(batch.linked, std::back_inserter(linked),
                         [&](const auto& rows) { return from <= rows.first && rows.first < from + count; });
    std::optional<AttentionControl> control;
    if (!linked.empty()) control.emplace(linked, from, options);
    predicted[s] = (*layers_)(picture.narrow(0, from, count), times.narrow(0, from, count),
                              diffusion::narrow(given, from, count), control ? &*control : nullptr);
    if (control) control->finish();
  });
  return (predicted.size() == 1 ? predicted[0] : at::cat(predicted)).to(x.options());
}

}  // namespace roundtrip::model
