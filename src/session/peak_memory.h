// The most memory that the process held since a point in time: Linux's VmHWM, reset at construction.
//
// Meaningful for one record at a time; CUDA memory is not counted.
#pragma once

#include <cstdint>

namespace roundtrip::session {

class PeakMemory {
 public:
  PeakMemory();
  int64_t bytes() const;  // -1 where /proc does not say
};

}  // namespace roundtrip::session
