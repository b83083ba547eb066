// The config keys that a run reads: their types and ranges. Values are in configs/.
#pragma once

#include "config/schema.h"

namespace roundtrip::run {

const config::Schema& schema();

}  // namespace roundtrip::run
