// Where networks run and with what numbers: engine.device and model.dtype, read once.
//
// Memory is the device's own: the host's for the CPU, the GPU's for a GPU.
#pragma once

#include <cstdint>
#include <string>

#include <ATen/ATen.h>

#include "session/session_options.h"

namespace roundtrip::session {

class Device {
 public:
  // `name` is auto, cpu, cuda or cuda:N. Throws kType for one that makes no sense or is not there, kInput for an
  // unknown dtype.
  explicit Device(const std::string& name, const std::string& dtype = "float32");

  at::Device torch() const { return device_; }
  at::TensorOptions networks() const { return at::dtype(dtype_).device(device_); }
  // Pixels, latents and embeddings: float64 where the networks are, else float32. Only networks run in half precision.
  at::TensorOptions states() const;

  int64_t free_memory() const;  // bytes that could be allocated now
  void synchronise() const;     // waits for what was asked of a GPU

 private:
  at::Device device_;
  at::ScalarType dtype_;
};

// Makes the process compute as `settings` say: with their threads, and float32 in all its bits.
void configure_process(const EngineSettings& settings);

}  // namespace roundtrip::session
