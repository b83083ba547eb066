#include "session/device.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>

#include "base/error.h"
#include "base/heap.h"

namespace roundtrip::session {

at::Device device_of(const std::string& name) {
  const auto gpus = static_cast<int>(at::globalContext().hasCUDA() ? at::getNumGPUs() : 0);
  if (name == "auto") return gpus > 0 ? at::Device(at::kCUDA, 0) : at::Device(at::kCPU);
  if (name == "cpu") return at::kCPU;
  if (name == "cuda" || name.starts_with("cuda:")) {
    const std::string index = name == "cuda" ? "0" : name.substr(5);
    const bool number = !index.empty() && index.size() < 4 && index.find_first_not_of("0123456789") == index.npos;
    if (number && std::stoi(index) < gpus) return {at::kCUDA, static_cast<c10::DeviceIndex>(std::stoi(index))};
    if (number) {
      throw Error(
          ErrorKind::kType,
          fmt::format("engine.device: '{}' was asked for; this machine and LibTorch have {} CUDA devices", name, gpus));
    }
  }
  throw Error(ErrorKind::kType, fmt::format("engine.device: '{}'; expected auto, cpu, cuda or cuda:n", name));
}

at::Device settle_device(const EngineSettings& settings) {
  keep_freed_memory();
  const at::Device device = device_of(settings.device);
  // float32 means float32: TF32 convolutions, cuDNN's default, keep ten bits of the mantissa.
  at::globalContext().setAllowTF32CuDNN(false);
  if (settings.threads) at::set_num_threads(static_cast<int>(*settings.threads));
  return device;
}

}  // namespace roundtrip::session
