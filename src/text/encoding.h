// A prompt as the token ids that a text encoder is given.
#pragma once

#include <cstdint>
#include <vector>

namespace roundtrip::text {

struct Encoding {
  std::vector<int64_t> ids;  // [max_length]: the tokens with the tokenizer's marks, then padding
  int dropped_tokens = 0;    // number of tokens that did not fit
};

}  // namespace roundtrip::text
