#include "session/peak_memory.h"

#include <fstream>
#include <string>

#include <ATen/DeviceAccelerator.h>

#include "base/heap.h"

namespace roundtrip::session {

PeakMemory::PeakMemory(at::Device device) : device_(device) {
  if (!device_.is_cpu()) {
    at::accelerator::resetPeakStats(device_.index());
    return;
  }
  return_freed_memory();  // of earlier work
  std::ofstream("/proc/self/clear_refs") << "5";
}

int64_t PeakMemory::bytes() const {
  if (!device_.is_cpu()) return at::accelerator::getDeviceStats(device_.index()).allocated_bytes[0].peak;
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stoll(line.substr(6)) * 1024;
  }
  return -1;
}

}  // namespace roundtrip::session
