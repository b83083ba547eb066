// Answers cases about Hydra's and OmegaConf's behaviour, one JSON object per line, for comparison
// with theirs (forms in hydra.md 1.16). Kinds: parse, compose, interp_text, interp_element, yaml.
#pragma once

#include <filesystem>
#include <istream>
#include <ostream>
#include <string>

#include <nlohmann/json.hpp>

#include "hydra/tree/node.h"

namespace roundtrip::app {

// Answers a sequence of cases. A case of kind `base` sets the config for later interpolations and is echoed.
class Conformance {
 public:
  // Folders of compose cases are relative to `root`.
  explicit Conformance(std::filesystem::path root) : root_(std::move(root)) {}

  // Returns {"kind", "input", "ok"} or {"kind", "input", "error", "msg"}. An unknown case gives the error `parse`.
  nlohmann::ordered_json answer(const nlohmann::ordered_json& one);

 private:
  std::filesystem::path root_;
  hydra::Node base_ = hydra::Node(hydra::Dict{});
};

// Answers line by line, in order. Throws kInput with the line number for a line that is not JSON.
void run_conformance(std::istream& cases, std::ostream& answers, const std::filesystem::path& root);

// Returns the value with types that JSON does not distinguish written out: {"$int":"1"}, {"$float":"1.0"},
// {"$dict":[[k, v]]}.
nlohmann::ordered_json tagged(const hydra::Node& node);

}  // namespace roundtrip::app
