// FireFlow: the midpoint rule whose first velocity is the one that the step before asked at its own midpoint.
//
// Deng et al., "FireFlow: Fast Inversion of Rectified Flow for Image Semantic Editing", ICML 2025 (arXiv 2412.07517).
// Second order at one evaluation a step (midpoint_method.h). The paper's editing, which injects attention features, is
// not here.
#include "inversion/midpoint_method.h"

namespace roundtrip::inversion {
namespace {

class FireFlow : public MidpointMethod {
 public:
  FireFlow() : MidpointMethod(/*reuse=*/true) {}
};

const RegisteredMethod<FireFlow> fireflow(
    {.name = "fireflow",
     .summary = "flows: the midpoint rule with the previous midpoint's velocity; one evaluation a step and one more",
     .source = "Deng et al., FireFlow, ICML 2025",
     .only_for = diffusion::Out::kVelocity});

}  // namespace
}  // namespace roundtrip::inversion
