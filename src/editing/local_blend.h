// Local blending: outside the regions that words attend to, an edit is its source.
//
// Hertz et al., Prompt-to-Prompt, ICLR 2023, section 3.2 (local editing) and the published code of null-text inversion,
// which adds `start` and the minus words. A region is where the attention that a row pays to its words, summed over the
// steps so far, exceeds a threshold of its own maximum. This file forms no attention and counts no steps: it gets the
// edited maps of each step, and the caller asks for a blend from the first step that `starts_at` names.
#pragma once

#include <ATen/ATen.h>

namespace roundtrip::editing {

struct BlendSettings {
  double threshold = 0.3;        // of the words' map, strict
  double minus_threshold = 0.3;  // of the minus words' map, strict
  double start = 0.2;            // fraction of all steps without blending
  bool has_minus = false;
};

// Attention of each row to its words in one step [h, w]; heads and layers have equal weight. Minus maps are undefined
// without minus words.
struct BlendMaps {
  at::Tensor source, target;
  at::Tensor minus_source = {}, minus_target = {};
};

class LocalBlend {
 public:
  explicit LocalBlend(const BlendSettings& settings) : settings_(settings) {}

  // Every step adds its maps, those before the start too.
  void add(const BlendMaps& maps);

  // k: steps done, the current one excluded; N: all steps.
  bool starts_at(int k, int N) const { return k >= static_cast<int>(settings_.start * N); }

  // M [h, w] bool, true where the edit stays: the source's region or the target's, and neither's region of minus words.
  at::Tensor mask(int64_t h, int64_t w) const;

  // The words' maps so far, the source's and the target's [2, h, w], each of its own maximum; zeros without words.
  at::Tensor maps() const;

  // x_source + M (x_target - x_source), [..., h, w], without the rounding of that sum.
  static at::Tensor blend(const at::Tensor& M, const at::Tensor& x_source, const at::Tensor& x_target);

 private:
  BlendSettings settings_;
  BlendMaps sum_;  // undefined before the first step
};

}  // namespace roundtrip::editing
