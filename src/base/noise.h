// Counter-based Gaussian noise: a value depends only on its key and index, never on earlier draws.
//
// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011) and Box-Muller in double.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace roundtrip {

// Purpose of a draw. Two purposes never share values.
enum class NoisePurpose : uint32_t {
  kForward = 1,
  kSampling = 2,
  kEncode = 3,
  kSelfCheck = 4,
  kBootstrap = 5,
  kShifts = 6,
  kScene = 7
};

struct NoiseKey {
  int64_t seed = 0;
  std::string_view sample;  // the sample's id; equal ids share their noise across trials
  NoisePurpose purpose = NoisePurpose::kForward;
  int step = 0;  // the grid index
};

std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

// Fills `out` with independent samples of N(0, 1).
void fill_normal(std::span<float> out, const NoiseKey& key);
void fill_normal(std::span<double> out, const NoiseKey& key);

}  // namespace roundtrip
