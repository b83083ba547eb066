// A method whose way up is plain DDIM inversion under the source prompt. All of them share their pivots.
#pragma once

#include "inversion/ddim_walk.h"

namespace roundtrip::inversion {

class DdimMethod : public Method {
 public:
  Task<Inversion> invert(const Problem& p, Tensor x0) const override;
  Reads invert_reads() const override { return {.common = "ddim", .eps_at = true, .invert_w = true}; }
  Evaluations invert_evaluations(const Ask& ask) const override {
    return {.forward = guided_rows(ask.steps, ask.invert_w, ask.null_source)};
  }

  Reads sample_reads(double eta) const override { return {.w = true, .eta = true, .seed = eta != 0}; }
};

}  // namespace roundtrip::inversion
