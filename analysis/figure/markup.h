// Texts inside HTML, SVG and XML.
#pragma once

#include <string>
#include <string_view>

namespace roundtrip::analysis {

// & < > and quotes as entities; control characters, which none of the three may hold, are left out.
std::string escaped(std::string_view text);

// A coordinate: two decimals, no trailing zeros.
std::string coordinate(double value);

}  // namespace roundtrip::analysis
