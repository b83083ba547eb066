// SHA-256, the identity of configs, weights, images and shared work.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace roundtrip {

// Feeds typed values so that no two different sequences give the same bytes (each is preceded by its length).
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
  std::string hex();  // 64 lower-case digits; the hasher is spent

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string sha256_hex(std::string_view bytes);
std::string sha256_hex_of_file(const std::filesystem::path& path);  // throws kInput where it cannot be read

}  // namespace roundtrip
