#include "model/resnet_block.h"

#include <utility>

namespace roundtrip::model {
namespace {

Tensor resampled(Resample resample, const Tensor& x, at::IntArrayRef size) {
  return resample == Resample::kHalve ? at::avg_pool2d(x, 2, 2) : upsample_nearest(x, size);
}

}  // namespace

ResnetBlock::ResnetBlock(const WeightScope& weights, const ResnetShape& shape, TimeProjections* times)
    : norm1_(weights / "norm1", shape.in, shape.norm_groups, shape.norm_eps),
      norm2_(weights / "norm2", shape.out, shape.norm_groups, shape.norm_eps),
      conv1_(weights / "conv1", shape.in, shape.out, {}),
      conv2_(weights / "conv2", shape.out, shape.out, {}),
      time_scales_(shape.time_scales),
      activation_(shape.activation),
      output_divisor_(shape.output_divisor),
      resample_(shape.resample) {
  if (shape.in != shape.out) {
    shortcut_.emplace(weights / "conv_shortcut", shape.in, shape.out, Conv2d::Window{.kernel = 1, .padding = 0});
  }
  if (times) time_slot_ = times->add(weights / "time_emb_proj", shape.time_scales ? 2 * shape.out : shape.out);
}

Tensor ResnetBlock::operator()(const Tensor& x, const std::vector<Tensor>& times, at::IntArrayRef enlarge_to,
                               const RowCopies& grafts) const {
  Tensor h = activate(activation_, norm1_(x));  // [N, in, h, w]
  if (resample_ != Resample::kNone) h = resampled(resample_, h, enlarge_to);
  h = conv1_(h);  // [N, out, h', w']
  if (!time_slot_) {
    h = norm2_(h);
  } else if (time_scales_) {
    const std::vector<Tensor> scale_and_shift = times[*time_slot_].chunk(2, 1);
    h = norm2_(h) * (1 + scale_and_shift[0]) + scale_and_shift[1];
  } else {
    h = norm2_(add(std::move(h), times[*time_slot_]));
  }
  h = conv2_(activate(activation_, std::move(h)));
  grafts.apply(h);
  const Tensor from = resample_ == Resample::kNone ? x : resampled(resample_, x, enlarge_to);
  h = add(std::move(h), shortcut_ ? (*shortcut_)(from) : from);
  return output_divisor_ == 1 ? h : h / output_divisor_;
}

}  // namespace roundtrip::model
