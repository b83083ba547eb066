#include "session/device.h"

#include <unistd.h>

#include <ATen/Context.h>
#include <ATen/DeviceAccelerator.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>

#include "base/error.h"
#include "base/heap.h"
#include "model/model_folder.h"

namespace roundtrip::session {
namespace {

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

}  // namespace

Device::Device(const std::string& name, const std::string& dtype)
    : device_(device_of(name)), dtype_(model::dtype_of(dtype)) {}

at::TensorOptions Device::states() const {
  return at::dtype(dtype_ == at::kDouble ? at::kDouble : at::kFloat).device(device_);
}

int64_t Device::free_memory() const {
  if (device_.is_cpu()) return int64_t{sysconf(_SC_AVPHYS_PAGES)} * sysconf(_SC_PAGESIZE);
  const auto [free, total] = at::accelerator::getMemoryInfo(device_.index());
  const auto stats = at::accelerator::getDeviceStats(device_.index());
  const int64_t cached = stats.reserved_bytes[0].current - stats.allocated_bytes[0].current;  // by LibTorch, and unused
  return static_cast<int64_t>(free) + cached;
}

void Device::synchronise() const {
  if (!device_.is_cpu()) at::accelerator::synchronizeDevice(device_.index());
}

void configure_process(const EngineSettings& settings) {
  keep_freed_memory();
  // Use true float32: TF32 convolutions, cuDNN's default, keep only ten bits of the mantissa.
  at::globalContext().setAllowTF32CuDNN(false);
  if (settings.threads) at::set_num_threads(static_cast<int>(*settings.threads));
}

}  // namespace roundtrip::session
