#include "app/hand_over.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <unistd.h>

#include <fmt/format.h>

#include "base/error.h"

namespace roundtrip::app {

void hand_over(char** arguments) {
  // Resolve the program's own file, whether called by a relative path, from PATH or through a link.
  std::error_code failure;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", failure);
  const std::filesystem::path other = self.parent_path() / "roundtrip-networks";
  ::execv(other.c_str(), arguments);
  throw input_error(other.string(), fmt::format("cannot be started ({})", std::strerror(errno)),
                    "it to lie beside roundtrip, as the build puts it");
}

}  // namespace roundtrip::app
