// From overrides with sweeps to the overrides of each job, in BasicSweeper's order (hydra.md 1.3): one dimension per
// key in order of first appearance, the last one fastest.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "hydra/compose/search_path.h"
#include "hydra/override/override.h"

namespace roundtrip::hydra {

// One axis: its keys (several in a zip) and, per position, the text after each key.
struct Dimension {
  std::vector<std::string> keys;                 // with prefix and package: "+experiment", "model@m"
  std::vector<std::vector<std::string>> points;  // points[position][key]: "=10"; nothing for `~key`
};

struct Sweep {
  std::vector<Dimension> dimensions;

  size_t size() const;  // the product
  size_t position(size_t job, size_t dimension) const;
  std::vector<std::string> overrides(size_t job) const;                          // "key=value" texts
  std::vector<std::pair<std::string, std::vector<std::string>>> values() const;  // of each key, in sweep order
  std::vector<std::string> swept() const;  // keys with more than one value, without prefix
};

// Decimal texts of range(start, stop, step): ints if all three are, else shortest floats of start + i*step (D1).
std::vector<std::string> range_texts(const Range& range);

// The value texts of one override: one for a plain value. `path` is for glob(), `seed` for shuffle().
// Throws kCompose for an interval, a glob that is not over a group, and a sweep without values (D12).
std::vector<std::string> value_texts(const Override& item, const SearchPath& path, uint64_t seed);

// Later duplicates replace the values of earlier ones in place. Throws kCompose for a sweep over hydra.
Sweep expand(const std::vector<Override>& overrides, const SearchPath& path, uint64_t seed = 0);

// Python's fnmatch: * ? [seq] [!seq].
bool fnmatch(std::string_view name, std::string_view pattern);

}  // namespace roundtrip::hydra
