// Hydra's launch with the types of a schema.
#pragma once

#include "config/schema.h"
#include "hydra/launch/launch.h"

namespace roundtrip::config {

// Prepares the jobs of a command line, each checked against `schema` and its node `hydra` against hydra_schema().
hydra::Launch prepare(const hydra::Flags& flags, const Schema& schema, const hydra::SearchPath& path);

}  // namespace roundtrip::config
