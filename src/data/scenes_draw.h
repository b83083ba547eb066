// Random numbers for drawing scenes: a function of (seed, scene, stream) alone, the same on every machine.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/noise.h"

namespace roundtrip::data::scenes {

class Draws {
 public:
  enum class Stream : uint32_t { kDescription = 1, kNuisance = 2, kEdits = 3, kPie = 4 };

  Draws(int64_t seed, int64_t scene, Stream stream)
      : key_{static_cast<uint32_t>(seed), static_cast<uint32_t>(static_cast<uint64_t>(seed) >> 32)},
        counter_{0, static_cast<uint32_t>(scene), static_cast<uint32_t>(static_cast<uint64_t>(scene) >> 32),
                 static_cast<uint32_t>(stream)} {}

  double uniform(double from, double to) { return from + (to - from) * (bits() * 0x1p-32); }
  size_t below(size_t count) { return static_cast<size_t>((uint64_t{bits()} * count) >> 32); }

  template <typename Value, size_t kCount>  // draws one of an enum's values, from their names
  Value one_of(const std::array<std::string_view, kCount>&) {
    return static_cast<Value>(below(kCount));
  }
  template <typename Value, size_t kCount>
  Value another(Value than, const std::array<std::string_view, kCount>&) {
    return static_cast<Value>((static_cast<size_t>(than) + 1 + below(kCount - 1)) % kCount);
  }
  template <typename Values>
  void shuffle(Values& values) {
    for (size_t left = values.size(); left > 1; --left) std::swap(values[left - 1], values[below(left)]);
  }

 private:
  uint32_t bits() {
    const size_t at = used_++ % 4;
    if (at == 0) block_ = philox4x32(counter_, key_), ++counter_[0];
    return block_[at];
  }

  std::array<uint32_t, 2> key_;
  std::array<uint32_t, 4> counter_, block_{};
  size_t used_ = 0;
};

}  // namespace roundtrip::data::scenes
