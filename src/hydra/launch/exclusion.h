// hydra.sweeper.exclude: combinations that a sweep skips. Not in Hydra.
//
//   exclude: ["method=ddim and steps>50", "guidance_scale=[1,3] and eps_at!=t"]
// A rule is a list of comparisons joined by `and`: KEY = VALUE (a list means any of it), != < <= > >=. KEY is a key or
// group as the sweep spells it, or any key of the config. A combination is excluded if any rule holds for it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hydra/compose/compose.h"
#include "hydra/launch/sweep.h"

namespace roundtrip::hydra {

class Exclusion {
 public:
  // `rules` is the list of texts; `master` has the values of the keys that are not swept. Throws kCompose for a rule
  // that does not parse or names an unknown key.
  Exclusion(const Node* rules, const Sweep& sweep, const Composition& master);

  bool excludes(size_t job) const;

 private:
  // A comparison with the points of a dimension, or with a value that is the same in the whole sweep.
  struct Comparison {
    std::optional<size_t> dimension;
    std::vector<bool> holds;  // for each point, or one
  };

  Comparison comparison(const std::string& text, const std::string& rule, const Composition& master) const;

  const Sweep& sweep_;
  std::vector<std::vector<Comparison>> rules_;
};

}  // namespace roundtrip::hydra
