// engine.device as a device of this machine.
#pragma once

#include <string>

#include <ATen/ATen.h>

#include "session/session_options.h"

namespace roundtrip::session {

// engine.device as a device; throws kType for one that makes no sense or is not there.
at::Device device_of(const std::string& name);

// The same, and the process computes as `settings` say: with their threads, and float32 in all its bits.
at::Device settle_device(const EngineSettings& settings);

}  // namespace roundtrip::session
