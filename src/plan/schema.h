// The config keys that a run reads: their types and ranges. Values are in configs/.
#pragma once

#include "config/schema.h"

namespace roundtrip::plan {

const config::Schema& schema();

}  // namespace roundtrip::plan
