// Axes of pictures that another program made: `label.method=ddim label.steps=50`. A key that names no axis becomes a
// swept parameter, as `p.<key>`.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "hydra/tree/node.h"
#include "plan/trial.h"
#include "store/record.h"

namespace roundtrip::rescore {

struct Labels {
  std::map<std::string, store::Value> values;  // by column
  std::vector<store::Column> parameters;       // columns p.<key>
};

// Reads `label` of a config. Without a method's label, the folder's name stands for it. Throws kType for a value that
// its axis cannot hold.
Labels read_labels(const hydra::Node& config, const plan::Trial& trial, const std::filesystem::path& pictures);

}  // namespace roundtrip::rescore
