// Escapes texts and formats coordinates for HTML, SVG and XML.
#pragma once

#include <string>
#include <string_view>

namespace roundtrip::analysis {

// Writes & < > and quotes as entities. Drops control characters, which none of the three formats allows.
std::string escaped(std::string_view text);

// Formats a coordinate with two decimals and no trailing zeros.
std::string coordinate(double value);

}  // namespace roundtrip::analysis
