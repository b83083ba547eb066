// The components of a model folder while it is opened: their configs and weights, and a count of both.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

#include "model/inspect_model.h"
#include "model/json_config.h"
#include "model/safetensors.h"

namespace roundtrip::model {

class ComponentFolder {
 public:
  explicit ComponentFolder(std::filesystem::path root) : root_(std::move(root)) {}

  const std::filesystem::path& root() const { return root_; }
  bool has(std::string_view component) const;

  // Throws kInput where the folder lacks the component; `expected` says what it would be for.
  void require(std::string_view component, std::string_view expected) const;

  // Folder with the network's files: transformer/, unet/, or the folder itself. Throws kInput if there are two.
  std::filesystem::path network() const;
  std::filesystem::path scheduler_config() const;
  JsonConfig config(const std::filesystem::path& component) const;

  // Opens weights and counts their parameters and files.
  WeightSource weights(const std::filesystem::path& component);

  // Counts a file that is not read tensor by tensor.
  void count(std::string_view component, const std::filesystem::path& file);

  int64_t parameters() const { return parameters_; }
  const std::vector<WeightFile>& weight_files() const { return weight_files_; }

 private:
  std::filesystem::path root_;
  int64_t parameters_ = 0;
  std::vector<WeightFile> weight_files_;
};

}  // namespace roundtrip::model
