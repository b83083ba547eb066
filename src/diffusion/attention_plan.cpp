#include "diffusion/attention_plan.h"

#include <algorithm>

namespace roundtrip::diffusion {

bool Sites::contains(const Site& site) const {
  const auto among = [](const auto& all, const auto& one) {
    return all.empty() || std::ranges::find(all, one) != all.end();
  };
  return among(places, site.place) && among(depths, site.depth) && site.depth >= min_depth &&
         site.tokens() >= min_tokens && site.tokens() <= max_tokens;
}

}  // namespace roundtrip::diffusion
