#include "inversion/ddim_method.h"

namespace roundtrip::inversion {

Task<Inversion> DdimMethod::invert(const Problem& p, Tensor x0) const {
  Inversion inversion;
  inversion.pivots = co_await ddim_invert(p, std::move(x0));
  co_return inversion;
}

}  // namespace roundtrip::inversion
