// A section of the config as Params, for code that may not see Node.
#pragma once

#include <string>

#include "config/params.h"
#include "hydra/tree/node.h"

namespace roundtrip::config {

// Returns the scalars directly under `section`, with their origins, without lists and dicts. A missing section is
// empty.
Params section_params(const hydra::Node& job, const std::string& section);

}  // namespace roundtrip::config
