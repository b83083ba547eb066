// The configs compiled into the program: path without extension ("method/ddim") and text.
#pragma once

#include <span>
#include <string_view>

namespace roundtrip::hydra {

struct EmbeddedConfig {
  std::string_view path;
  std::string_view text;
};

std::span<const EmbeddedConfig> embedded_configs();

}  // namespace roundtrip::hydra
