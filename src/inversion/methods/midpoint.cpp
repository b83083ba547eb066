// RF-Solver: a flow inverted and sampled by the midpoint rule (midpoint_method.h).
//
// Wang et al., "Taming Rectified Flow for Inversion and Editing", ICML 2025 (arXiv 2411.04746). The paper writes the
// step as a second-order Taylor expansion whose derivative is a difference quotient over h/2:
//   x + h v_1 + h^2/2 (v_2 - v_1) / (h/2)  =  x + h v_2
// so the two are one. The paper's editing, which injects attention values, is not here.
#include "inversion/midpoint_method.h"

namespace roundtrip::inversion {
namespace {

class Midpoint : public MidpointMethod {
 public:
  Midpoint() : MidpointMethod(/*reuse=*/false) {}
};

const RegisteredMethod<Midpoint> midpoint(
    {.name = "midpoint",
     .summary = "flows: the midpoint rule (RF-Solver), two evaluations a step both ways",
     .source = "Wang et al., Taming Rectified Flow for Inversion and Editing, ICML 2025",
     .only_for = diffusion::Out::kVelocity});

}  // namespace
}  // namespace roundtrip::inversion
