// A small picture as a PNG inside a page. Written without compression (RFC 1951's stored blocks): no library is needed,
// and pictures of a report are brought to a size at which that costs little.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace roundtrip::analysis {

struct Picture {
  int height = 0, width = 0;
  std::vector<uint8_t> rgb = {};  // [height, width, 3]
};

// The mean over blocks, so that neither side is longer than `most`.
Picture reduced(const Picture& picture, int most);

// |a - b| times `gain`, for seeing small differences. Both of one size, or nothing.
Picture difference(const Picture& a, const Picture& b, int gain);

std::string png_data_uri(const Picture& picture);  // "data:image/png;base64,..."

}  // namespace roundtrip::analysis
