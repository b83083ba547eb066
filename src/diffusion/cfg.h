// Classifier-free guidance: out_w = w out(c) + (1 - w) out(null) (Ho & Salimans, 2022).
//
// w = 1 is the conditional prediction alone, w = 0 the unconditional one; neither asks for the other's row.
#pragma once

#include "diffusion/denoiser.h"

namespace roundtrip::diffusion {

// The two embeddings that guide a step: of the prompt, and the one in the null prompt's place.
struct CfgPair {
  Conditioning conditional, unconditional;
};

// How a network takes the guidance scale w.
enum class GuidanceWay {
  kCfg,   // by two rows, as above
  kTold,  // guidance is distilled into it, and each row is told w (Meng et al., CVPR 2023; FLUX.1-dev)
  kNone,  // guidance is distilled into it at one scale: w has no effect (FLUX.1-schnell)
};

// The pair that guides a step at w the network's way: distilled networks are asked for the conditional row alone.
CfgPair guided(GuidanceWay way, CfgPair pair, double w);

enum class CfgRows { kConditional, kUnconditional, kBoth };

// The rows that a guided prediction needs. Identical embeddings need one row whatever w is.
CfgRows cfg_rows(const CfgPair& pair, double w);

// The predictions of those rows; the other one is undefined.
struct CfgOut {
  Tensor conditional, unconditional;  // [C, H, W]
};

// out_w of both rows, or the only row.
Tensor cfg(const CfgOut& out, double w);

}  // namespace roundtrip::diffusion
