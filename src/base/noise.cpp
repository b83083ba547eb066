#include "base/noise.h"

#include <cmath>
#include <cstring>
#include <numbers>

#include "base/hash.h"

namespace roundtrip {

std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t product0 = uint64_t{0xD2511F53} * counter[0];
    const uint64_t product1 = uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<uint32_t>(product1 >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(product1),
               static_cast<uint32_t>(product0 >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(product0)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

namespace {

// Hashes the sample's id, so that every character of a long id counts.
std::array<uint32_t, 2> philox_key(const NoiseKey& key) {
  const std::string digest = Hasher().add(key.seed).add(key.sample).add(static_cast<int64_t>(key.purpose)).hex();
  return {static_cast<uint32_t>(std::stoul(digest.substr(0, 8), nullptr, 16)),
          static_cast<uint32_t>(std::stoul(digest.substr(8, 8), nullptr, 16))};
}

double uniform(uint32_t high, uint32_t low) {  // in (0, 1)
  const uint64_t bits = (uint64_t{high} << 32 | low) >> 11;
  return (static_cast<double>(bits) + 0.5) * 0x1p-53;
}

template <typename T>
void fill(std::span<T> out, const NoiseKey& key) {
  const auto philox = philox_key(key);
  for (size_t i = 0; i < out.size(); i += 2) {
    const uint64_t block = i / 2;
    const auto r = philox4x32(
        {static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32), static_cast<uint32_t>(key.step), 0x52545250},
        philox);
    const double radius = std::sqrt(-2 * std::log(uniform(r[0], r[1])));
    const double angle = 2 * std::numbers::pi * uniform(r[2], r[3]);
    out[i] = static_cast<T>(radius * std::cos(angle));
    if (i + 1 < out.size()) out[i + 1] = static_cast<T>(radius * std::sin(angle));
  }
}

}  // namespace

void fill_normal(std::span<float> out, const NoiseKey& key) { fill(out, key); }
void fill_normal(std::span<double> out, const NoiseKey& key) { fill(out, key); }

}  // namespace roundtrip
