// Masks as run lengths: PIE-Bench's form of a mask, a flat list start, length, start, length, ... over the image's
// pixels, row by row from 0 (Ju et al., ICLR 2024: mapping_file.json and its reader).
//
// A run that goes past the last pixel is clipped, as in the published reader, and counted. That reader also ignores an
// odd number at the end and pixels before the first or after the last; here such a list is refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace roundtrip::data {

struct MaskRuns {
  std::vector<int64_t> list;  // start, length, start, length, ...
  bool border = false;        // also mark the outermost pixels, as the published reader does
  std::string where = {};     // "PIE/mapping_file.json: 000000000012: mask", for messages
};

struct DecodedMask {
  std::vector<uint8_t> pixels;  // [height * width]: 1 where the edit may change the image, else 0
  size_t overruns = 0;          // runs that were clipped
};

// Throws kInput for a list of odd length, a negative number, and a run that starts past the end of the image.
DecodedMask decode_mask(const MaskRuns& runs, int height, int width);

// The shortest list of a mask, [height * width] zeros and others: the inverse of decode_mask without a border.
std::vector<int64_t> encode_mask(const std::vector<uint8_t>& pixels);

}  // namespace roundtrip::data
