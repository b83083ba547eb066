// The id of a trial, the same from run to run: a digest of everything that decides its numbers.
//
// That is its resolved config without what only decides how it is carried out (threads, batch, memory, how many
// images), with files replaced by their digests; a setting that the sweep varies always counts. Images have digests of
// their own, in their records.
#pragma once

#include <string>
#include <vector>

#include "hydra/launch/launch.h"
#include "hydra/tree/node.h"

namespace roundtrip::plan {

// The part of a resolved config that decides numbers. `swept` names the keys that the sweep varies.
hydra::Node deciding_config(const hydra::Node& config, const std::vector<std::string>& swept);

// The first key at which two configs differ: "steps was 10, is 20"; empty where none does.
std::string first_difference(const hydra::Node& was, const hydra::Node& is);

}  // namespace roundtrip::plan
