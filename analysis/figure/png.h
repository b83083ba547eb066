// Embeds a small picture in a page as a PNG. The PNG is not compressed (RFC 1951's stored blocks), so no library is
// needed. Pictures of a report are reduced to a size at which that costs little.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace roundtrip::analysis {

struct Picture {
  int height = 0, width = 0;
  std::vector<uint8_t> rgb = {};  // [height, width, 3]
};

// Averages over blocks, so that neither side is longer than `most`.
Picture reduced(const Picture& picture, int most);

// |a - b| times `gain`, to make small differences visible. Empty if the sizes differ.
Picture difference(const Picture& a, const Picture& b, int gain);

std::string png_data_uri(const Picture& picture);  // "data:image/png;base64,..."

}  // namespace roundtrip::analysis
