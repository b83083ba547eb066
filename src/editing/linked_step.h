// One step of an edit: the rows that the target asks for, and rows of its source beside them, in one request.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "inversion/sampler.h"

namespace roundtrip::editing {

// kType: w = 0 asks for no row of the target prompt, so `editor` has nothing to control.
Error no_row_to_control(const std::string& editor);

class LinkedStep {
 public:
  // The rows of the target's step from x at grid index i. Throws kType where no conditional row is asked (w = 0), which
  // leaves nothing to control; `editor` is its name.
  LinkedStep(const inversion::Sampler& target, at::Tensor x, int i, const char* editor);
  // Under a pair of the editor's own.
  LinkedStep(const inversion::Sampler& target, at::Tensor x, int i, diffusion::CfgPair pair, const char* editor);

  // Row numbers, for plans; -1 where the row is not asked.
  int conditional() const { return conditional_; }
  int unconditional() const { return unconditional_; }

  // Adds a row at the target's level, and returns its number: an added one's where that has the same inputs.
  int add(const at::Tensor& x, const diffusion::Conditioning& c);

  struct Result {
    at::Tensor x;  // at grid index i - 1
    diffusion::Seen seen;
  };
  // Asks, and takes the target's step. The caller's LinkedStep outlives the task.
  engine::Task<Result> take(diffusion::AttentionPlan plan) const;

 private:
  const inversion::Sampler& target_;
  at::Tensor x_;
  int i_;
  diffusion::CfgPair pair_;
  diffusion::CfgRows which_;
  std::vector<engine::Row> rows_;
  int conditional_ = -1, unconditional_ = -1;
};

}  // namespace roundtrip::editing
