#include "model/row_network.h"

#include <ATen/core/grad_mode.h>

#include "base/error.h"
#include "diffusion/slices.h"

namespace roundtrip::model {

using at::Tensor;
using diffusion::Conditioning;

Conditioning RowNetwork::given(const Conditioning& conditioning) const {
  Conditioning given;
  const auto take = [&](bool reads, Tensor Conditioning::* field, std::optional<at::ScalarType> dtype,
                        std::string_view what) {
    if (!reads) return;
    check((conditioning.*field).defined(), fmt::format("a network that reads {} is given it", what));
    given.*field = (conditioning.*field).to(options_.dtype(dtype.value_or(options_.dtype().toScalarType())));
  };
  take(facts_.context_channels > 0, &Conditioning::tokens, {}, "a text's tokens");
  take(facts_.pooled_channels > 0, &Conditioning::pooled, {}, "a pooled text");
  take(facts_.classes > 0, &Conditioning::label, at::kLong, "a class label");
  take(facts_.guidance == diffusion::GuidanceWay::kTold, &Conditioning::guidance, at::kDouble, "a guidance scale");
  return given;
}

Tensor RowNetwork::predict(const diffusion::Batch& batch) const {
  const Tensor& x = batch.x;
  const Tensor picture = x.to(options_);
  const Tensor times = batch.t.to(options_.device());
  const Conditioning read = given(batch.conditioning);
  // The backward pass runs in one thread, so work with gradients is sliced by whole requests, in the engine.
  const int64_t slices = at::GradMode::is_enabled() ? 1 : diffusion::slices_that_pay(x.size(0), options_.device());
  const std::vector<int64_t> borders = diffusion::slice_borders(slices, x.size(0));
  std::vector<Tensor> predicted(borders.size() - 1);
  diffusion::in_slices(borders, [&](int64_t s, int64_t from, int64_t count) {
    predicted[s] =
        rows(picture.narrow(0, from, count), times.narrow(0, from, count), diffusion::narrow(read, from, count));
  });
  return (predicted.size() == 1 ? predicted[0] : at::cat(predicted)).to(x.options());
}

}  // namespace roundtrip::model
