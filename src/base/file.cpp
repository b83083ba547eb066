#include "base/file.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>

#include <fmt/format.h>

#include "base/error.h"

namespace roundtrip {

std::string read_file(const std::filesystem::path& path, uint64_t max_bytes) {
  std::error_code failure;
  const std::filesystem::file_status status = std::filesystem::status(path, failure);
  if (!std::filesystem::exists(status)) throw input_error(path.string(), "no such file");
  if (!std::filesystem::is_regular_file(status)) throw input_error(path.string(), "not a file");
  const uintmax_t size = std::filesystem::file_size(path, failure);
  if (failure) throw input_error(path.string(), fmt::format("cannot be read ({})", failure.message()));
  if (size > max_bytes) {
    throw input_error(path.string(), fmt::format("{} bytes long", size), fmt::format("at most {}", max_bytes));
  }
  std::ifstream file(path, std::ios::binary);
  std::string bytes(size, '\0');
  if (!file || !file.read(bytes.data(), static_cast<std::streamsize>(size))) {
    throw input_error(path.string(), fmt::format("cannot be read ({})", std::strerror(errno)));
  }
  return bytes;
}

}  // namespace roundtrip
