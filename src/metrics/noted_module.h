// A TorchScript module that says in an extra file what it holds: a score by an unknown network compares with nothing.
#pragma once

#include <filesystem>
#include <string>
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

  // Throws kInput for a file that is missing, no module, or has no such note.
  NotedModule(const std::filesystem::path& path, at::Device device, Names names);

  const nlohmann::json& note() const { return note_; }
  std::string noted(const char* key) const;  // a text of the note; throws kInput where there is none

  // Without gradients. Throws kOutOfMemory or kInput with the module's own complaint.
  at::Tensor operator()(std::vector<at::Tensor> inputs);

  // To be thrown for a module that is not what its note says.
  Error complaint(const std::string& found, const std::string& expected = {}) const;

 private:
  std::string where_;
  Names names_;
  torch::jit::Module module_;
  nlohmann::json note_;
};

}  // namespace roundtrip::metrics
