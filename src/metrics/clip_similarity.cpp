// clip_similarity: similarity of a picture and its caption, 100 max(cos, 0) of CLIP's two embeddings.
//
// Hessel et al., "CLIPScore: A Reference-free Evaluation Metric for Image Captioning", EMNLP 2021, with the factor 100
// that torchmetrics uses and papers on editing print. The caption of an edit is its target prompt. The network is a
// TorchScript module that scripts/get_metric and scripts/export_clip.py write beside a folder with its tokenizer: its
// method `look` embeds pictures [N, 3, H, W] on [0, 1], and its method `read` embeds ids [N, L]. Modules of earlier
// versions, which lack methods, map both to cosines [N]. The module's extra file clip.json names the network. Pictures
// are not quantised to bytes, although torchmetrics receives bytes.
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "metrics/module_metric.h"
#include "text/clip_tokenizer.h"

namespace roundtrip::metrics {
namespace {

// Networks that scripts/get_metric knows: the value of `net`, and the name in the module's card.
const std::map<std::string, std::string>& known_nets() {
  static const std::map<std::string, std::string> kNets = {{"vit-b-16", "clip-vit-base-patch16"},
                                                           {"vit-b-32", "clip-vit-base-patch32"},
                                                           {"vit-l-14", "clip-vit-large-patch14"}};
  return kNets;
}

// Any name with a module of one's own; otherwise one that scripts/get_metric knows. PIE-Bench uses the largest.
std::string net_of(const config::Params& params) {
  std::vector<std::string> choices;
  if (params.get_path("path").empty()) {
    for (const auto& [net, name] : known_nets()) choices.push_back(net);
  }
  return params.get_string_or("net", "vit-l-14", choices);
}

class ClipSimilarity : public ModuleMetric {
 public:
  ClipSimilarity(const MetricInfo& info, const config::Params& params, at::Device device)
      : ModuleMetric(info, params, device,
                     {.note = "clip.json", .expected = "a module written by scripts/get_metric or export_clip.py"}) {
    const std::string wanted = net_of(params);
    if (!module_) return;
    const std::string network = module_->noted("network");
    if (asks_for_network(params) && network != wanted) {
      const auto known = known_nets().find(wanted);
      check_network(network, known == known_nets().end() ? wanted : known->second);
    }
    info_.version = fmt::format("{} {:.12}", network, module_->noted("weights_sha256"));
    if (module_->note().contains("resize")) info_.version += ", resized " + module_->noted("resize");
    std::filesystem::path tokenizer = path_;
    tokenizer_.emplace(text::ClipTokenizer::open(tokenizer.replace_extension(".tokenizer")));
  }

  // Tokens of the caption, [L]; tokens that do not fit are dropped.
  Tensor encode_caption(const std::string& caption) const override {
    return tokenizer_ ? at::tensor(tokenizer_->encode(caption).ids, at::kLong) : at::zeros({1}, at::kLong);
  }

 private:
  Tensor score_by_module(const Inputs& inputs) override {
    const Tensor pictures = inputs.test.to(at::kFloat);
    const int64_t count = pictures.size(0);
    if (!module_->has_method("look") || !module_->has_method("read")) {
      return scored(answer({pictures, inputs.caption}, {count}));
    }
    std::vector<Tensor> captions;
    for (int64_t n = 0; n < count; ++n) captions.push_back(read(inputs.caption[n]));
    const Tensor wanted = at::stack(captions), found = module_->call("look", {pictures});
    if (found.sizes() != wanted.sizes()) {
      throw module_->complaint(fmt::format("its module embeds pictures as {}", shape_text(found.sizes())),
                               fmt::format("{}, as captions", shape_text(wanted.sizes())));
    }
    return scored(at::cosine_similarity(found, wanted));
  }

  static Tensor scored(const Tensor& cosine) { return 100 * cosine.to(at::kDouble).clamp_min(0); }

  // Embedding [D] of a caption [L]. A caption is read once, and alone: many pictures of a run share one.
  const Tensor& read(const Tensor& caption) {
    const Tensor ids = caption.to(at::kCPU).contiguous();
    std::vector<int64_t> key(ids.data_ptr<int64_t>(), ids.data_ptr<int64_t>() + ids.numel());
    if (const auto found = read_.find(key); found != read_.end()) return found->second;
    const Tensor embedding = module_->call("read", {caption.unsqueeze(0)});
    if (embedding.dim() != 2 || embedding.size(0) != 1) {
      throw module_->complaint(fmt::format("its module embeds a caption as {}", shape_text(embedding.sizes())),
                               "[1, width]");
    }
    return read_.emplace(std::move(key), embedding[0]).first->second;
  }

  std::optional<text::ClipTokenizer> tokenizer_;
  std::map<std::vector<int64_t>, Tensor> read_;  // embeddings by ids
};

const Registered<Metric, ClipSimilarity> clip_similarity(
    {.name = "clip_similarity",
     .label = "CLIP similarity",
     .long_name = "100 max(cos, 0) of the CLIP embeddings of the picture and its caption",
     .direction = Direction::kHigherIsBetter,
     .wants = {.caption = true},
     .on_parts = true,
     .order = 7,
     .module_name = [](const config::Params& params) { return "clip-" + net_of(params); }});

}  // namespace
}  // namespace roundtrip::metrics
