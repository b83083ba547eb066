// clip_similarity: how much a picture looks like its caption, 100 max(cos, 0) of CLIP's two embeddings.
//
// Hessel et al., "CLIPScore: A Reference-free Evaluation Metric for Image Captioning", EMNLP 2021, with the factor 100
// that torchmetrics has and papers on editing print; of an edit the caption is its target. The network is a TorchScript
// module (pictures [N, 3, H, W] on [0, 1], ids [N, L]) -> cosines [N], which scripts/export_clip.py writes beside a
// folder with its tokenizer. The module's extra file clip.json says which network it holds. Pictures are not quantised
// to bytes, as they are before torchmetrics sees them.
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "base/text.h"
#include "metrics/metric.h"
#include "metrics/noted_module.h"
#include "text/clip_tokenizer.h"

namespace roundtrip::metrics {
namespace {

class ClipSimilarity : public Metric {
 public:
  explicit ClipSimilarity(const MetricOptions& options) {
    info_ = {.name = "clip_similarity",
             .units = "",
             .long_name = "100 max(cos, 0) of the CLIP embeddings of the picture and its caption",
             .direction = Direction::kHigherIsBetter,
             .version = "",
             .on_latents = false,
             .on_caption = true};
    if (options.clip_path.empty()) return;
    module_.emplace(
        options.clip_path, options.device,
        NotedModule::Names{
            .key = "clip.path", .note = "clip.json", .expected = "a module written by scripts/export_clip.py"});
    info_.version = fmt::format("{} {:.12}", module_->noted("network"), module_->noted("weights_sha256"));
    std::filesystem::path tokenizer = options.clip_path;
    tokenizer_.emplace(text::ClipTokenizer::open(tokenizer.replace_extension(".tokenizer")));
  }

  const MetricInfo& info() const override { return info_; }

  std::string unavailable() const override {
    if (module_) return {};
    return "clip_similarity: clip.path is empty, so the column will be NaN; a module is written by: "
           "scripts/export_clip.py FOLDER -o clip.pt";
  }

  // The caption's tokens, [L]; what does not fit is left out.
  Tensor wanted(const std::string& caption) const override {
    return tokenizer_ ? at::tensor(tokenizer_->encode(caption).ids, at::kLong) : at::zeros({1}, at::kLong);
  }

  Tensor score(const Tensor& wanted, const Tensor& test) override {
    const auto options = test.options().dtype(at::kDouble);
    if (!module_) return at::full({test.size(0)}, std::nan(""), options);
    if (test.size(0) == 0) return at::empty({0}, options);
    const Tensor cosine = (*module_)({test.to(at::kFloat), wanted});
    if (cosine.sizes() != at::IntArrayRef{test.size(0)}) {
      throw module_->complaint(fmt::format("its module answers {}", shape_text(cosine.sizes())),
                               fmt::format("[{}]", test.size(0)));
    }
    // clamp keeps NaN, but a network may lose it
    const Tensor finite = at::isfinite(test).flatten(1).all(1);
    return (100 * cosine.to(at::kDouble).clamp_min(0)).masked_fill(finite.logical_not(), std::nan(""));
  }

 private:
  MetricInfo info_;
  std::optional<NotedModule> module_;
  std::optional<text::ClipTokenizer> tokenizer_;
};

const MetricRegistration registration{
    "clip_similarity", [](const MetricOptions& options) { return std::make_unique<ClipSimilarity>(options); }};

}  // namespace
}  // namespace roundtrip::metrics
