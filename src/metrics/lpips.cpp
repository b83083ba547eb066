// lpips: Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric", CVPR 2018,
// by a TorchScript module (a, b) -> [N] on [-1, 1].
//
// scripts/export_lpips.py writes such a module and notes in it, in the extra file lpips.json, which network
// it holds: LPIPS of an unknown network compares with nothing, so a module without that note is refused.
#include <cmath>
#include <optional>
#include <system_error>

#include <fmt/format.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/script.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "metrics/metric.h"

namespace roundtrip::metrics {
namespace {

namespace fs = std::filesystem;

constexpr const char* kNote = "lpips.json";
constexpr const char* kExpected = "a module written by scripts/export_lpips.py";

// The one line that says what happened: LibTorch's messages carry stacks and TorchScript source around it.
std::string reason(const std::exception& exception) {
  const auto* error = dynamic_cast<const c10::Error*>(&exception);
  std::string text = error ? error->what_without_backtrace() : exception.what();
  if (const size_t cause = text.rfind("Error: "); cause != std::string::npos) text.erase(0, cause + 7);
  return std::string(trim(text.substr(0, text.find('\n'))));
}

// A string of the note; what is missing or of another type is not a note of ours.
std::string noted(const nlohmann::json& note, const char* key, const std::string& where) {
  const auto found = note.find(key);
  if (found == note.end() || !found->is_string()) {
    throw input_error(where, fmt::format("its {} has no text '{}'", kNote, key), kExpected);
  }
  return found->get<std::string>();
}

class Lpips : public Metric {
 public:
  explicit Lpips(const MetricOptions& options) : path_(options.lpips_path) {
    info_ = {.name = "lpips",
             .units = "",
             .long_name = "learned perceptual image patch similarity",
             .direction = Direction::kLowerIsBetter,
             .version = "",
             .on_latents = false};
    if (!path_.empty()) load(options.device);
  }

  const MetricInfo& info() const override { return info_; }

  std::string unavailable() const override {
    if (module_) return {};
    return "lpips: lpips.path is empty, so the column will be NaN; a module is written by: "
           "scripts/export_lpips.py "
           "--net squeeze --trunk FILE --heads FILE -o lpips_squeeze.pt (--help says where the files are)";
  }

  Tensor score(const Tensor& reference, const Tensor& test) override {
    check_pair(reference, test);
    if (!module_) return at::full({reference.size(0)}, std::nan(""), reference.options().dtype(at::kDouble));
    if (reference.size(0) == 0) return at::empty({0}, reference.options().dtype(at::kDouble));
    return forward(2 * reference.to(at::kFloat) - 1, 2 * test.to(at::kFloat) - 1).to(at::kDouble);
  }

 private:
  std::string where() const { return "lpips.path: " + path_.string(); }

  void load(at::Device device) {
    std::error_code ignored;
    if (!fs::is_regular_file(path_, ignored)) {
      throw input_error(where(), fs::exists(path_, ignored) ? "not a file" : "no such file", kExpected);
    }
    torch::jit::ExtraFilesMap extra{{kNote, ""}};
    try {
      module_ = torch::jit::load(path_.string(), device, extra);
      module_->eval();
    } catch (const std::exception& exception) {
      throw input_error(where(), fmt::format("not a TorchScript module ({})", reason(exception)), kExpected);
    }
    if (extra[kNote].empty()) throw input_error(where(), fmt::format("holds no {}", kNote), kExpected);
    const nlohmann::json note = parse_json(extra[kNote], where() + ": " + kNote);
    const std::string net = noted(note, "net", where());
    info_.long_name = fmt::format("learned perceptual image patch similarity, {} network, inputs on [-1, 1]", net);
    info_.version = fmt::format("{} {}, trunk {:.12}, heads {:.12}", noted(note, "version", where()), net,
                                noted(note, "trunk_sha256", where()), noted(note, "heads_sha256", where()));
    try_out(device);
  }

  // Equal images are 0 apart, or the module is something else.
  void try_out(at::Device device) {
    const Tensor image = at::linspace(-1, 1, 2 * 3 * 32 * 32, at::kFloat).reshape({2, 3, 32, 32}).to(device);
    const Tensor distance = forward(image, image);
    if (!distance.eq(0).all().item<bool>()) {
      throw input_error(where(), "its module does not find equal images 0 apart", kExpected);
    }
  }

  // [N, 3, H, W] on [-1, 1] twice -> [N]
  Tensor forward(const Tensor& a, const Tensor& b) {
    const at::NoGradGuard no_grad;
    // The optimising executor would compile anew for each shape that it meets, for seconds; this one
    // interprets.
    const torch::jit::GraphOptimizerEnabledGuard as_written(false);
    c10::IValue result;
    try {
      result = module_->forward({a, b});
    } catch (const std::exception& exception) {
      const std::string why = reason(exception);
      const bool no_memory =
          why.find("out of memory") != std::string::npos || why.find("not enough memory") != std::string::npos;
      throw Error(no_memory ? ErrorKind::kOutOfMemory : ErrorKind::kInput,
                  fmt::format("{}: failed on images {} ({})", where(), shape_text(a.sizes()), why));
    }
    if (!result.isTensor() || result.toTensor().sizes() != at::IntArrayRef{a.size(0)}) {
      const std::string found = result.isTensor() ? shape_text(result.toTensor().sizes()) : result.tagKind();
      throw input_error(where(), fmt::format("its module answers {}", found), fmt::format("[{}]", a.size(0)));
    }
    return result.toTensor();
  }

  fs::path path_;
  MetricInfo info_;
  std::optional<torch::jit::Module> module_;
};

const MetricRegistration registration{"lpips",
                                      [](const MetricOptions& options) { return std::make_unique<Lpips>(options); }};

}  // namespace
}  // namespace roundtrip::metrics
