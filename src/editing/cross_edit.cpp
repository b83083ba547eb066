#include "editing/cross_edit.h"

namespace roundtrip::editing {

CrossEdit cross_edit(const TokenMap& map, const at::Tensor& a, const at::Tensor& e) {
  return {.P = map.P * (a * e * map.known), .d = (1 - a) + a * e * (1 - map.known)};
}

}  // namespace roundtrip::editing
