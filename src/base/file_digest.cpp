#include "base/file_digest.h"

#include <cstdint>
#include <map>
#include <mutex>
#include <sys/stat.h>
#include <tuple>

#include "base/hash.h"

namespace roundtrip {
namespace {

using State = std::tuple<dev_t, ino_t, off_t, int64_t, int64_t, int64_t, int64_t>;

State state_of(const std::filesystem::path& path) {
  struct stat found{};
  if (::stat(path.c_str(), &found) != 0) return {};  // hashing reports what is wrong with it
  return {found.st_dev,          found.st_ino,         found.st_size,        found.st_mtim.tv_sec,
          found.st_mtim.tv_nsec, found.st_ctim.tv_sec, found.st_ctim.tv_nsec};
}

}  // namespace

std::string remembered_sha256_of_file(const std::filesystem::path& path) {
  static std::mutex mutex;
  static std::map<std::filesystem::path, std::pair<State, std::string>> remembered;
  const std::lock_guard lock(mutex);
  const State state = state_of(path);  // taken before reading: the next call notices a change made meanwhile
  const auto found = remembered.find(path);
  if (found != remembered.end() && found->second.first == state) return found->second.second;
  std::string digest = sha256_hex_of_file(path);
  remembered.insert_or_assign(path, std::pair(state, digest));
  return digest;
}

}  // namespace roundtrip
