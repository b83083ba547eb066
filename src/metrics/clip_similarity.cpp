// clip_similarity: similarity of a picture and its caption, 100 max(cos, 0) of CLIP's two embeddings.
//
// Hessel et al., "CLIPScore: A Reference-free Evaluation Metric for Image Captioning", EMNLP 2021, with the factor 100
// that torchmetrics uses and papers on editing print. The caption of an edit is its target prompt. The network is a
// TorchScript module (pictures [N, 3, H, W] on [0, 1], ids [N, L]) -> cosines [N], which scripts/export_clip.py writes
// beside a folder with its tokenizer. The module's extra file clip.json names the network. Pictures are not quantised
// to bytes, although torchmetrics receives bytes.
#include <optional>

#include <fmt/format.h>

#include "metrics/module_metric.h"
#include "text/clip_tokenizer.h"

namespace roundtrip::metrics {
namespace {

class ClipSimilarity : public ModuleMetric {
 public:
  ClipSimilarity(const MetricInfo& info, const config::Params& params, at::Device device)
      : ModuleMetric(info, params, device,
                     {.note = "clip.json",
                      .expected = "a module written by scripts/export_clip.py",
                      .remedy = "a module is written by: scripts/export_clip.py FOLDER -o clip.pt"}) {
    if (!module_) return;
    info_.version = fmt::format("{} {:.12}", module_->noted("network"), module_->noted("weights_sha256"));
    std::filesystem::path tokenizer = path_;
    tokenizer_.emplace(text::ClipTokenizer::open(tokenizer.replace_extension(".tokenizer")));
  }

  // Tokens of the caption, [L]; tokens that do not fit are dropped.
  Tensor encode_caption(const std::string& caption) const override {
    return tokenizer_ ? at::tensor(tokenizer_->encode(caption).ids, at::kLong) : at::zeros({1}, at::kLong);
  }

 private:
  Tensor score_by_module(const Inputs& inputs) override {
    const Tensor cosine = answer({inputs.test.to(at::kFloat), inputs.caption}, {inputs.test.size(0)});
    return 100 * cosine.to(at::kDouble).clamp_min(0);
  }

  std::optional<text::ClipTokenizer> tokenizer_;
};

const Registered<Metric, ClipSimilarity> clip_similarity(
    {.name = "clip_similarity",
     .label = "CLIP similarity",
     .long_name = "100 max(cos, 0) of the CLIP embeddings of the picture and its caption",
     .direction = Direction::kHigherIsBetter,
     .wants = {.caption = true},
     .on_parts = true,
     .order = 7});

}  // namespace
}  // namespace roundtrip::metrics
