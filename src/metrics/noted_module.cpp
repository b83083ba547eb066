#include "metrics/noted_module.h"

#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <torch/csrc/jit/runtime/graph_executor.h>

#include "base/json.h"
#include "base/text.h"

namespace roundtrip::metrics {
namespace {

namespace fs = std::filesystem;

// Extracts the line that says what happened: LibTorch's messages surround it with stacks and TorchScript source.
std::string reason(const std::exception& exception) {
  const auto* error = dynamic_cast<const c10::Error*>(&exception);
  std::string text = error ? error->what_without_backtrace() : exception.what();
  if (const size_t cause = text.rfind("Error: "); cause != std::string::npos) text.erase(0, cause + 7);
  return std::string(trim(text.substr(0, text.find('\n'))));
}

}  // namespace

NotedModule::NotedModule(const fs::path& path, at::Device device, Names names)
    : where_(names.key + ": " + path.string()), names_(std::move(names)) {
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored)) {
    throw complaint(fs::exists(path, ignored) ? "not a file" : "no such file");
  }
  torch::jit::ExtraFilesMap extra{{names_.note, ""}};
  try {
    module_ = torch::jit::load(path.string(), device, extra);
    module_.eval();
  } catch (const std::exception& exception) {
    throw complaint(fmt::format("not a TorchScript module ({})", reason(exception)));
  }
  if (extra[names_.note].empty()) throw complaint("holds no " + names_.note);
  note_ = parse_json(extra[names_.note], where_ + ": " + names_.note);
}

std::string NotedModule::noted(const char* key) const {
  const auto found = note_.find(key);
  if (found == note_.end() || !found->is_string())
    throw complaint(fmt::format("its {} has no text '{}'", names_.note, key));
  return found->get<std::string>();
}

at::Tensor NotedModule::call(const std::string& method, std::vector<at::Tensor> inputs) {
  const at::NoGradGuard no_grad;
  // The optimising executor would compile for seconds at each new shape; this one interprets.
  const torch::jit::GraphOptimizerEnabledGuard as_written(false);
  const std::string shape = shape_text(inputs.front().sizes());
  c10::IValue result;
  try {
    result = module_.get_method(method)({inputs.begin(), inputs.end()});
  } catch (const std::exception& exception) {
    const std::string why = reason(exception);
    throw Error(tells_of_full_memory(why) ? ErrorKind::kOutOfMemory : ErrorKind::kInput,
                fmt::format("{}: failed on inputs of shape {} ({})", where_, shape, why));
  }
  if (!result.isTensor()) throw complaint(fmt::format("its module answers {}", result.tagKind()), "a tensor");
  return result.toTensor();
}

Error NotedModule::complaint(const std::string& found, const std::string& expected) const {
  return input_error(where_, found, expected.empty() ? names_.expected : expected);
}

}  // namespace roundtrip::metrics
