// The types and documentation of the keys under `hydra` (hydra.md 1.12).
#pragma once

#include "config/schema.h"

namespace roundtrip::config {

// Keys without their leading `hydra.`.
const Schema& hydra_schema();

// Throws kCompose for a key that is unknown, has the wrong type, or asks for an unsupported feature
// (hydra.job.chdir=true).
void check_hydra(const hydra::Node& hydra);

}  // namespace roundtrip::config
