// Peak memory since construction: of the process for the CPU (Linux's VmHWM, reset at construction), of LibTorch's
// tensors for a GPU.
//
// Meaningful for one record at a time.
#pragma once

#include <cstdint>

#include <ATen/ATen.h>

namespace roundtrip::session {

class PeakMemory {
 public:
  explicit PeakMemory(at::Device device = at::kCPU);
  int64_t bytes() const;  // -1 if /proc does not have it

 private:
  at::Device device_;
};

}  // namespace roundtrip::session
