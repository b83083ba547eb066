#include "store/durable.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

#include "base/error.h"

namespace roundtrip::store {
namespace {

[[noreturn]] void fail(const std::filesystem::path& path, std::string_view what) {
  const int error = errno;
  throw Error(ErrorKind::kInput, fmt::format("{}: {}: {}", path.string(), what, std::strerror(error)));
}

Descriptor open_or_fail(const std::filesystem::path& path, int flags, std::string_view what) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC, 0644);
  if (fd < 0) fail(path, what);
  return Descriptor(fd);
}

}  // namespace

Descriptor::Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

AppendFile::AppendFile(const std::filesystem::path& path)
    : path_(path), descriptor_(open_or_fail(path, O_WRONLY | O_CREAT | O_EXCL, "cannot create")) {}

void AppendFile::append(std::span<const std::byte> bytes) {
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t count = ::pwrite(descriptor_.get(), bytes.data() + done, bytes.size() - done, size_ + done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      const int error = count < 0 ? errno : ENOSPC;
      // A cut that fails too does no harm: the next append starts at size_ again.
      [[maybe_unused]] const int cut = ::ftruncate(descriptor_.get(), size_);
      errno = error;
      fail(path_, "cannot write");
    }
    done += count;
  }
  size_ += static_cast<int64_t>(bytes.size());
  dirty_ = dirty_ || !bytes.empty();
}

void AppendFile::sync() {
  if (!dirty_) return;
  if (::fdatasync(descriptor_.get()) != 0) fail(path_, "cannot sync");
  dirty_ = false;
}

std::filesystem::path part_of(const std::filesystem::path& path) { return path.string() + ".part"; }

void publish(const std::filesystem::path& path) {
  const std::filesystem::path part = part_of(path);
  {
    const Descriptor descriptor = open_or_fail(part, O_RDONLY, "cannot open");
    if (::fsync(descriptor.get()) != 0) fail(part, "cannot sync");
  }
  if (::rename(part.c_str(), path.c_str()) != 0) fail(path, "cannot rename to it");
  sync_directory(path.parent_path());
}

void write_durably(const std::filesystem::path& path, std::string_view text) {
  const std::filesystem::path part = part_of(path);
  std::filesystem::remove(part);
  AppendFile(part).append(text);
  publish(path);
}

void sync_directory(const std::filesystem::path& directory) {
  const std::filesystem::path path = directory.empty() ? "." : directory;
  const Descriptor descriptor = open_or_fail(path, O_RDONLY | O_DIRECTORY, "cannot open");
  // Some file systems cannot sync a directory; theirs are safe without, or cannot be made safe.
  if (::fsync(descriptor.get()) != 0 && errno != EINVAL && errno != ENOTSUP) fail(path, "cannot sync");
}

}  // namespace roundtrip::store
