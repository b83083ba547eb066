#include "editing/linked_step.h"

#include <fmt/format.h>

namespace roundtrip::editing {

using diffusion::CfgRows;

Error no_row_to_control(const std::string& editor) {
  return Error(ErrorKind::kType, fmt::format("guidance_scale: found 0, which asks for no row of the target prompt; "
                                             "expected another number, as editor={} controls that row",
                                             editor));
}

LinkedStep::LinkedStep(const inversion::Sampler& target, at::Tensor x, int i, const char* editor)
    : LinkedStep(target, std::move(x), i, target.pair(i), editor) {}

LinkedStep::LinkedStep(const inversion::Sampler& target, at::Tensor x, int i, diffusion::CfgPair pair,
                       const char* editor)
    : target_(target), x_(std::move(x)), i_(i), pair_(std::move(pair)), which_(target.rows(pair_)) {
  if (which_ == CfgRows::kUnconditional) throw no_row_to_control(editor);
  rows_ = inversion::rows_of(pair_, which_, x_, target.run.grid[i].t);
  conditional_ = 0;
  if (which_ == CfgRows::kBoth) unconditional_ = 1;
}

int LinkedStep::add(const at::Tensor& x, const diffusion::Conditioning& c) {
  for (size_t r = which_ == CfgRows::kBoth ? 2 : 1; r < rows_.size(); ++r) {
    if (rows_[r].x.is_same(x) && diffusion::same_conditioning(rows_[r].conditioning, c)) return static_cast<int>(r);
  }
  rows_.emplace_back(x, target_.run.grid[i_].t, c);
  return static_cast<int>(rows_.size()) - 1;
}

engine::Task<LinkedStep::Result> LinkedStep::take(diffusion::AttentionPlan plan) const {
  auto shared = std::make_shared<const diffusion::AttentionPlan>(std::move(plan));
  std::vector<engine::Row> rows = rows_;
  engine::Answer answer = co_await target_.run.network.out(std::move(rows), shared);
  answer.out.resize(which_ == CfgRows::kBoth ? 2 : 1);
  Result result;
  result.x = target_.step(x_, inversion::cfg_out(answer.out, which_), i_);
  result.seen = std::move(answer.seen);
  co_return result;
}

}  // namespace roundtrip::editing
