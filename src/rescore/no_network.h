// A denoiser for engines that only score pictures.
#pragma once

#include "base/error.h"
#include "diffusion/denoiser.h"

namespace roundtrip::rescore {

// Rejects every evaluation.
class NoNetwork : public diffusion::Denoiser {
 public:
  at::Tensor out(const diffusion::Batch&) override {
    throw Error(ErrorKind::kInternal, "scoring pictures asked for a network");
  }
};

// Every batch has its full shape, so a score does not depend on its neighbours, and a repetition gives the same bits.
inline constexpr int kBatch = 16;
inline constexpr int kLive = 64;  // records whose pictures are in memory

}  // namespace roundtrip::rescore
