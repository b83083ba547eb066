#include "editing/local_blend.h"

#include "base/error.h"

namespace roundtrip::editing {
namespace {

using at::Tensor;

void accumulate(Tensor& sum, const Tensor& map) {
  check(map.defined(), "a step has a map for each row and kind of words");
  sum = sum.defined() ? sum + map : map;
}

// [1, 1, h, w] -> [1, 1, h, w]: the maximum over each pixel and its neighbours; outside the map there are none.
Tensor with_neighbours(const Tensor& map) { return at::max_pool2d(map, {3, 3}, {1, 1}, {1, 1}); }

// The region of one map [h_map, w_map] -> [h, w] bool. Nearest upsampling takes pixel floor(i h_map / h). Words that
// the prompt does not have give a map of zeros: 0/0 is NaN, which exceeds nothing, and the region is empty.
Tensor region(const Tensor& map, int64_t h, int64_t w, bool pools, double threshold) {
  Tensor m = map.unsqueeze(0).unsqueeze(0);
  if (pools) m = with_neighbours(m);
  m = at::upsample_nearest2d(m, {h, w}).squeeze(0).squeeze(0);
  return m / m.amax() > threshold;
}

}  // namespace

void LocalBlend::add(const BlendMaps& maps) {
  accumulate(sum_.source, maps.source);
  accumulate(sum_.target, maps.target);
  if (!settings_.has_minus) return;
  accumulate(sum_.minus_source, maps.minus_source);
  accumulate(sum_.minus_target, maps.minus_target);
}

Tensor LocalBlend::mask(int64_t h, int64_t w) const {
  check(sum_.source.defined(), "a blend has the maps of a step");
  const double th = settings_.threshold, minus_th = settings_.minus_threshold;
  const Tensor inside = region(sum_.source, h, w, true, th) | region(sum_.target, h, w, true, th);
  if (!settings_.has_minus) return inside;
  return inside &
         ~(region(sum_.minus_source, h, w, false, minus_th) | region(sum_.minus_target, h, w, false, minus_th));
}

Tensor LocalBlend::maps() const {
  const auto share = [](const Tensor& map) { return (map / map.amax()).nan_to_num(0); };
  return at::stack({share(sum_.source), share(sum_.target)});
}

Tensor LocalBlend::blend(const Tensor& M, const Tensor& x_source, const Tensor& x_target) {
  return at::where(M, x_target, x_source);
}

}  // namespace roundtrip::editing
