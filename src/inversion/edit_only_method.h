// A method that edits without inverting the image: nothing is asked on the way up, and every pivot is the image.
//
// The way back walks the difference that the prompts make, at noisings of the image that are drawn anew at each step:
// on flows (1 - p_i) x_0 + p_i n_i. It starts and, when both prompts agree, stays at the image: a reconstruction is
// exact by construction.
#pragma once

#include "inversion/method.h"

namespace roundtrip::inversion {

class EditOnlyMethod : public Method {
 public:
  Task<Inversion> invert(const Problem& run, Tensor x0) const override;

 protected:
  // `count` noisings [count, C, h, w] of the image at grid index i. The first ones are the same for any count.
  static Tensor noisings(const Problem& run, const Tensor& x0, int i, int64_t count = 1);
};

}  // namespace roundtrip::inversion
