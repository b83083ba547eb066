#include "run/provenance.h"

#include <ctime>
#include <fstream>
#include <sys/utsname.h>
#include <unistd.h>

#include <ATen/Version.h>
#include <fmt/chrono.h>
#include <torch/version.h>

#include "base/text.h"
#include "roundtrip_version.h"

namespace roundtrip::run {
namespace {

std::string processor() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with("model name")) return std::string(trim(line.substr(line.find(':') + 1)));
  }
  return "unknown";
}

}  // namespace

std::string utc_now() { return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr))); }

std::string version_line() {
  return fmt::format("roundtrip {} ({}, {}, LibTorch {})", ROUNDTRIP_VERSION, ROUNDTRIP_REVISION, ROUNDTRIP_COMPILER,
                     TORCH_VERSION);
}

Provenance machine_provenance() {
  utsname system{};
  uname(&system);
  return {{"version", ROUNDTRIP_VERSION},
          {"git", ROUNDTRIP_REVISION},
          {"compiler", ROUNDTRIP_COMPILER},
          {"build_type", ROUNDTRIP_BUILD_TYPE},
          {"libtorch", TORCH_VERSION},
          {"host", system.nodename},
          {"system", fmt::format("{} {} {}", system.sysname, system.release, system.machine)},
          {"processor", processor()},
          {"cores", fmt::format("{}", sysconf(_SC_NPROCESSORS_ONLN))},
          {"cpu_capability", at::get_cpu_capability()}};
}

}  // namespace roundtrip::run
