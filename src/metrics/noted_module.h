// A TorchScript module whose extra file says what it holds: scores of an unknown network cannot be compared.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <nlohmann/json.hpp>
#include <torch/script.h>

#include "base/error.h"

namespace roundtrip::metrics {

class NotedModule {
 public:
  struct Names {
    std::string key;       // of the config: "metric.lpips.path"
    std::string note;      // the extra file, a JSON object: "lpips.json"
    std::string expected;  // in messages: "a module written by ..."
  };

  // Throws kInput for a file that is missing, is not a module, or lacks the note.
  NotedModule(const std::filesystem::path& path, at::Device device, Names names);

  const nlohmann::json& note() const { return note_; }
  std::string noted(const char* key) const;  // a text of the note; throws kInput if absent

  // Runs without gradients. Throws kOutOfMemory, or kInput with the module's own complaint. `call` runs a method other
  // than forward, which the module must have.
  at::Tensor operator()(std::vector<at::Tensor> inputs) { return call("forward", std::move(inputs)); }
  at::Tensor call(const std::string& method, std::vector<at::Tensor> inputs);
  bool has_method(const std::string& name) const { return module_.find_method(name).has_value(); }

  // Returns the Error to throw for a module that does not match its note.
  Error complaint(const std::string& found, const std::string& expected = {}) const;

 private:
  std::string where_;
  Names names_;
  torch::jit::Module module_;
  nlohmann::json note_;
};

}  // namespace roundtrip::metrics
