// One answer to "did this fail for want of memory?", whoever threw it.
#pragma once

#include <exception>

namespace roundtrip::engine {

// True for the failures of the CPU's and of CUDA's allocator, and for Error of kind kOutOfMemory.
bool is_out_of_memory(const std::exception& error);

}  // namespace roundtrip::engine
