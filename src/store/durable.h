// Files that survive a power cut: appended and synced, or written under a temporary name and renamed once they are
// complete.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>

namespace roundtrip::store {

// A file descriptor that closes itself.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();
  int get() const { return fd_; }

 private:
  int fd_ = -1;
};

// A new file that only grows. A failed append (a full disk) leaves the file unchanged.
class AppendFile {
 public:
  AppendFile() = default;
  explicit AppendFile(const std::filesystem::path& path);  // throws kInput where it exists or cannot be created

  void append(std::span<const std::byte> bytes);  // throws kInput with the system's reason
  void append(std::string_view text) { append(std::as_bytes(std::span(text))); }
  void sync();  // appended bytes are on disk once this returns; free if there are none

  int64_t size() const { return size_; }
  bool dirty() const { return dirty_; }

 private:
  std::filesystem::path path_;
  Descriptor descriptor_;
  int64_t size_ = 0;
  bool dirty_ = false;
};

// The unfinished form of `path`, in the same directory.
std::filesystem::path part_of(const std::filesystem::path& path);

// Syncs the file `part_of(path)` and renames it to `path`.
void publish(const std::filesystem::path& path);

// Writes a small file completely or not at all.
void write_durably(const std::filesystem::path& path, std::string_view text);

// Syncs a directory: created and removed names are on disk once this returns.
void sync_directory(const std::filesystem::path& directory);

}  // namespace roundtrip::store
