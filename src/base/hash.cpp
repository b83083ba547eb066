#include "base/hash.h"

#include <array>
#include <cstring>
#include <fstream>
#include <vector>

#include <openssl/evp.h>

#include "base/error.h"

namespace roundtrip {

struct Hasher::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~State() { EVP_MD_CTX_free(context); }

  void update(const void* bytes, size_t count) {
    check(EVP_DigestUpdate(context, bytes, count) == 1, "SHA-256 takes more bytes");
  }
};

Hasher::Hasher() : state_(std::make_unique<State>()) {
  check(EVP_DigestInit_ex(state_->context, EVP_sha256(), nullptr) == 1, "SHA-256 is available");
}
Hasher::~Hasher() = default;
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;

Hasher& Hasher::add(std::string_view text) { return add_bytes(std::as_bytes(std::span(text))); }

Hasher& Hasher::add(double value) { return add_bytes(std::as_bytes(std::span(&value, 1))); }

Hasher& Hasher::add(int64_t value) { return add_bytes(std::as_bytes(std::span(&value, 1))); }

Hasher& Hasher::add_bytes(std::span<const std::byte> bytes) {
  const uint64_t size = bytes.size();
  state_->update(&size, sizeof size);
  state_->update(bytes.data(), bytes.size());
  return *this;
}

std::string Hasher::hex() {
  std::array<unsigned char, 32> digest;
  check(EVP_DigestFinal_ex(state_->context, digest.data(), nullptr) == 1, "SHA-256 ends");
  return fmt::format("{:02x}", fmt::join(digest, ""));
}

namespace {

std::string hex_of(const auto& feed) {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  std::array<unsigned char, 32> digest;
  const bool ok = EVP_DigestInit_ex(context, EVP_sha256(), nullptr) == 1 && feed(context) &&
                  EVP_DigestFinal_ex(context, digest.data(), nullptr) == 1;
  EVP_MD_CTX_free(context);
  check(ok, "SHA-256 of a whole input");
  return fmt::format("{:02x}", fmt::join(digest, ""));
}

}  // namespace

std::string sha256_hex(std::string_view bytes) {
  return hex_of([&](EVP_MD_CTX* context) { return EVP_DigestUpdate(context, bytes.data(), bytes.size()) == 1; });
}

std::string sha256_hex_of_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw input_error(path.string(), "cannot be opened");
  return hex_of([&](EVP_MD_CTX* context) {
    std::vector<char> block(1 << 20);
    while (file) {
      file.read(block.data(), static_cast<std::streamsize>(block.size()));
      if (EVP_DigestUpdate(context, block.data(), static_cast<size_t>(file.gcount())) != 1) return false;
    }
    return true;
  });
}

}  // namespace roundtrip
