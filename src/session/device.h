// Device and floating-point type of the networks: engine.device and model.dtype, read once.
//
// Memory means that of the device: the host's for the CPU, the GPU's for a GPU.
#pragma once

#include <cstdint>
#include <string>

#include <ATen/ATen.h>

#include "session/session_options.h"

namespace roundtrip::session {

class Device {
 public:
  // `name` is auto, cpu, cuda or cuda:N. Throws kType for an invalid or missing device, kInput for an unknown dtype.
  explicit Device(const std::string& name, const std::string& dtype = "float32");

  at::Device torch() const { return device_; }
  at::TensorOptions networks() const { return at::dtype(dtype_).device(device_); }
  // Type of pixels, latents and embeddings: float64 with float64 networks, else float32. Only networks use half
  // precision.
  at::TensorOptions states() const;

  int64_t free_memory() const;  // bytes that could be allocated now
  void synchronise() const;     // waits for pending work of a GPU

 private:
  at::Device device_;
  at::ScalarType dtype_;
};

// Applies `settings` to the process: its threads, and full float32 precision.
void configure_process(const EngineSettings& settings);

}  // namespace roundtrip::session
