// A section of the config as Params, for code that may not see Node.
#pragma once

#include <set>
#include <string>

#include "config/params.h"
#include "hydra/tree/node.h"

namespace roundtrip::config {

// Returns the values of `section`, nested ones too, with their origins, but for the keys in `shared`, which are read
// elsewhere. A missing section is empty.
Params section_params(const hydra::Node& job, const std::string& section, const std::set<std::string>& shared = {});

// The section of a plug-in that has scalars only: throws kType for a list or a dict in it, and for a section that is
// none.
Params scalar_params(const hydra::Node& job, const std::string& section);

}  // namespace roundtrip::config
