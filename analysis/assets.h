// Files of analysis/assets/, compiled into the program.
#pragma once

#include <span>
#include <string_view>

namespace roundtrip::analysis {

struct Asset {
  std::string_view name, text;
};

std::span<const Asset> assets();
std::string_view asset(std::string_view name);

}  // namespace roundtrip::analysis
