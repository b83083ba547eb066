// SHA-256, the identity of configs, weights, images and shared work.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace roundtrip {

// Hashes typed values. Each is preceded by its length, so that different sequences never give the same bytes.
class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;

  Hasher& add(std::string_view text);
  Hasher& add(double value);
  Hasher& add(int64_t value);
  Hasher& add_bytes(std::span<const std::byte> bytes);
  std::string hex();  // 64 lower-case digits; the hasher cannot be used again

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string sha256_hex(std::string_view bytes);
std::string sha256_hex_of_file(const std::filesystem::path& path);  // throws kInput if it cannot be read

}  // namespace roundtrip
