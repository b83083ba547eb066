// Reads YAML as Hydra does: PyYAML's SafeLoader as OmegaConf patches it (YAML 1.1 types, no timestamps, floats like
// 1e-5, duplicate keys refused). Syntax is yaml-cpp's; types, merge keys, aliases and limits are ours.
//
// Accepts one document, with no other tags than !!str !!int !!float !!bool !!null, and !!seq and !!map on their kinds.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hydra/tree/node.h"

namespace roundtrip::hydra {

struct YamlLimits {
  size_t max_bytes = size_t{1} << 20;
  int max_depth = 100;
  size_t max_nodes = 1'000'000;  // after aliases are expanded
};

// A spelling that surprises: octal and sexagesimal ints, on/off/yes/no.
struct YamlWarning {
  Mark mark;
  std::string message;
};

// Throws kParse: "FILE:LINE:COLUMN: what"; the details show the line with a caret below the column.
Node parse_yaml(std::string_view text, std::string_view file_name, std::vector<YamlWarning>* warnings = nullptr,
                const YamlLimits& limits = {});

// The type that a plain scalar has in this dialect. Throws kParse for an integer past int64.
Node plain_scalar(std::string_view text, const Mark& mark = {});

}  // namespace roundtrip::hydra
