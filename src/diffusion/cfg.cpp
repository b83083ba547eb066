#include "diffusion/cfg.h"

namespace roundtrip::diffusion {

CfgPair guided(GuidanceWay way, CfgPair pair, double w) {
  if (way == GuidanceWay::kCfg) return pair;
  if (way == GuidanceWay::kTold) pair.conditional.guidance = at::scalar_tensor(w, at::kDouble);
  pair.unconditional = pair.conditional;
  return pair;
}

CfgRows cfg_rows(const CfgPair& pair, double w) {
  if (w == 1 || same_conditioning(pair.conditional, pair.unconditional)) return CfgRows::kConditional;
  return w == 0 ? CfgRows::kUnconditional : CfgRows::kBoth;
}

Tensor cfg(const CfgOut& out, double w) {
  if (!out.unconditional.defined()) return out.conditional;
  if (!out.conditional.defined()) return out.unconditional;
  return at::add(out.conditional * w, out.unconditional, 1 - w);
}

}  // namespace roundtrip::diffusion
