// Encodes prompts as conditioning.
#pragma once

#include <string>

#include "diffusion/denoiser.h"

namespace roundtrip::model {

class TextEncoder {
 public:
  struct Encoded {
    diffusion::Conditioning conditioning;  // tokens [L, D]
    int dropped_tokens = 0;                // number of tokens beyond the model's length
  };

  virtual ~TextEncoder() = default;
  virtual Encoded encode(const std::string& prompt) = 0;
};

}  // namespace roundtrip::model
