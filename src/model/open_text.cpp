#include "model/open_text.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "model/class_labels.h"
#include "model/clip_text.h"
#include "model/flow_prompt_encoder.h"
#include "model/prompt_table.h"
#include "model/torchscript_denoiser.h"

namespace roundtrip::model {
namespace {

// What the pipelines take where nothing else is said; the tokenizers' own model_max_length is not read.
constexpr int64_t kSd3Tokens = 256, kFluxTokens = 512;

TextTower open_tower(ComponentFolder& folder, const std::string& encoder, const std::string& tokenizer,
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

T5Tower open_t5(ComponentFolder& folder, const std::string& encoder, const std::string& tokenizer, int64_t tokens,
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
std::unique_ptr<PromptEncoder> open_sd3_text(ComponentFolder& folder, const ModelIndex& index,
                                             const Network::Facts& facts, int64_t t5_tokens,
                                             at::TensorOptions options) {
  TextTower first = open_tower(folder, "text_encoder", "tokenizer", kProjected, options);
  TextTower second = open_tower(folder, "text_encoder_2", "tokenizer_2", kProjected, options);
  std::optional<T5Tower> t5;
  if (folder.has("text_encoder_3") && !index.left_out.contains("text_encoder_3")) {
    t5.emplace(open_t5(folder, "text_encoder_3", "tokenizer_3", t5_tokens, options));
  }
  return std::make_unique<Sd3PromptEncoder>(std::move(first), std::move(second), std::move(t5), facts.context_channels,
                                            t5_tokens, folder.root().string());
}

}  // namespace

void check_t5_tokens(const ComponentFolder& folder, const Network::Facts& facts, std::optional<int64_t> t5_tokens) {
  const bool reads_t5 = facts.prompts == Network::Prompts::kSd3 || facts.prompts == Network::Prompts::kFlux;
  if (!t5_tokens || reads_t5) return;
  throw Error(ErrorKind::kType, fmt::format("model.t5_tokens: {} was given; expected null, as {} reads no T5 encoder",
                                            *t5_tokens, folder.root().string()));
}

std::unique_ptr<PromptEncoder> open_text(ComponentFolder& folder, const ModelIndex& index, const Network::Facts& facts,
                                         std::optional<int64_t> t5_tokens, at::TensorOptions options) {
  check_t5_tokens(folder, facts, t5_tokens);
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
      return open_sd3_text(folder, index, facts, t5_tokens.value_or(kSd3Tokens), options);
    case Network::Prompts::kFlux: {
      TextTower clip = open_tower(folder, "text_encoder", "tokenizer", kPlain, options);
      return std::make_unique<FluxPromptEncoder>(
          std::move(clip), open_t5(folder, "text_encoder_2", "tokenizer_2", t5_tokens.value_or(kFluxTokens), options));
    }
    case Network::Prompts::kClasses:
      return std::make_unique<ClassLabels>(facts.classes, index.labels, folder.root().string());
  }
  return {};
}

}  // namespace roundtrip::model
