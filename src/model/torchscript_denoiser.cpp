#include "model/torchscript_denoiser.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <c10/util/Exception.h>
#include <fmt/format.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/serialization/import.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "config/section.h"
#include "hydra/tree/yaml.h"

namespace roundtrip::model {
namespace {

namespace fs = std::filesystem;
using at::Tensor;

constexpr std::string_view kForm = "a TorchScript module, forward(x, t, tokens) or forward(x, t)";

// Extracts the line that says what happened: LibTorch's messages surround it with stacks and TorchScript source.
std::string reason(const std::exception& exception) {
  const auto* error = dynamic_cast<const c10::Error*>(&exception);
  std::string text = error ? error->what_without_backtrace() : exception.what();
  if (const size_t cause = text.rfind("Error: "); cause != std::string::npos) text.erase(0, cause + 7);
  return std::string(trim(text.substr(0, text.find('\n'))));
}

class TorchScriptDenoiser : public Network {
 public:
  TorchScriptDenoiser(const TorchScriptConfig& config, at::TensorOptions options)
      : where_(config.module.string()), facts_(config.facts), options_(options) {
    std::error_code ignored;
    if (!fs::is_regular_file(config.module, ignored)) throw input_error(where_, "no such file", kForm);
    try {
      module_ = torch::jit::load(where_, options.device());
      module_.eval();
      module_.to(options.device(), options.dtype().toScalarType());
    } catch (const std::exception& exception) {
      throw input_error(where_, fmt::format("not a TorchScript module ({})", reason(exception)), kForm);
    }
    for (Tensor parameter : module_.parameters()) parameter.requires_grad_(false);
    const auto forward = module_.find_method("forward");
    if (!forward) throw input_error(where_, "its module has no forward", kForm);
    const size_t arguments = forward->function().getSchema().arguments().size() - 1;  // without self
    const size_t expected = facts_.context_channels > 0 ? 3 : 2;
    if (arguments != expected) {
      throw input_error(where_, fmt::format("forward takes {} arguments", arguments),
                        fmt::format("{}, as token_channels is {}", expected, facts_.context_channels));
    }
  }

  Tensor predict(const diffusion::Batch& batch) const override {
    const Tensor& x = batch.x;
    std::vector<c10::IValue> inputs{x.to(options_), batch.t.to(at::TensorOptions(at::kLong).device(options_.device()))};
    if (facts_.context_channels > 0) inputs.emplace_back(batch.conditioning.tokens.to(options_));
    // The optimising executor would compile again for each new shape; this one interprets.
    const torch::jit::GraphOptimizerEnabledGuard as_written(false);
    c10::IValue answer;
    try {
      answer = module_.forward(std::move(inputs));
    } catch (const c10::OutOfMemoryError&) {
      throw;
    } catch (const std::exception& exception) {
      throw input_error(where_, fmt::format("failed on x of {} ({})", shape_text(x.sizes()), reason(exception)));
    }
    if (!answer.isTensor() || answer.toTensor().sizes() != x.sizes()) {
      const std::string found = answer.isTensor() ? shape_text(answer.toTensor().sizes()) : answer.tagKind();
      throw input_error(where_, fmt::format("its module answers {}", found), shape_text(x.sizes()));
    }
    return answer.toTensor().to(x.options());
  }

  const Facts& facts() const override { return facts_; }

 private:
  std::string where_;
  Facts facts_;
  at::TensorOptions options_;
  mutable torch::jit::Module module_;  // forward() is not const
};

}  // namespace

TorchScriptConfig read_torchscript_config(const fs::path& folder) {
  const fs::path path = folder / kTorchScriptConfig;
  const hydra::Node root = hydra::parse_yaml(read_file(path), path.string());
  if (!root.is_dict()) throw input_error(path.string(), "not a mapping", "keys with values");
  const std::vector<std::string> known{"module", "channels", "height", "width", "token_channels", "embeddings"};
  for (const std::string& key : root.dict().keys()) {
    if (std::ranges::find(known, key) == known.end()) {
      throw input_error(path.string(), fmt::format("a key {}", name_text(key)),
                        join(known, ", ") + "." + did_you_mean(key, known));
    }
  }
  const config::Params params = config::section_params(root, "");
  const auto count = [&](const char* key, int64_t fallback) {
    return params.has(key) ? params.get_int(key, {.min = 0}) : fallback;
  };
  const int64_t channels = params.get_int("channels", {.min = 1});
  TorchScriptConfig read{.module = folder / (params.has("module") ? params.get_string("module") : "denoiser.pt"),
                         .embeddings = std::nullopt,
                         .facts = {.in_channels = channels,
                                   .out_channels = channels,
                                   .sample_size = {count("height", 0), count("width", 0)},
                                   .context_channels = count("token_channels", 0)}};
  if (params.has("embeddings") && !params.is_null("embeddings")) {
    read.embeddings = folder / params.get_string("embeddings");
  }
  return read;
}

std::unique_ptr<Network> open_torchscript(const TorchScriptConfig& config, at::TensorOptions options) {
  return std::make_unique<TorchScriptDenoiser>(config, options);
}

}  // namespace roundtrip::model
