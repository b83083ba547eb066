#include "metrics/module_metric.h"

#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"

namespace roundtrip::metrics {

ModuleMetric::ModuleMetric(const MetricInfo& info, const config::Params& params, at::Device device, Source source)
    : Metric(info), path_(params.get_path("path")), remedy_(std::move(source.remedy)) {
  if (path_.empty()) return;
  module_.emplace(path_, device,
                  NotedModule::Names{.key = fmt::format("metric.{}.path", info.name),
                                     .note = std::move(source.note),
                                     .expected = std::move(source.expected)});
}

std::string ModuleMetric::unavailable() const {
  if (module_) return {};
  return fmt::format("{}: metric.{}.path is empty, so the column will be NaN; {}", info_.name, info_.name, remedy_);
}

Tensor ModuleMetric::score(const Inputs& inputs) {
  if (info_.wants.reference) check_pair(inputs.reference, inputs.test);
  const auto options = inputs.test.options().dtype(at::kDouble);
  if (!module_) return at::full({inputs.test.size(0)}, std::nan(""), options);
  if (inputs.test.size(0) == 0) return at::empty({0}, options);
  // A network may drop a NaN on the way.
  const Tensor finite = at::isfinite(inputs.test).flatten(1).all(1);
  return score_by_module(inputs).to(at::kDouble).masked_fill(finite.logical_not(), std::nan(""));
}

Tensor ModuleMetric::answer(std::vector<Tensor> inputs, at::IntArrayRef shape) {
  Tensor found = (*module_)(std::move(inputs));
  if (found.sizes() != shape) {
    throw module_->complaint(fmt::format("its module answers {}", shape_text(found.sizes())), shape_text(shape));
  }
  return found;
}

}  // namespace roundtrip::metrics
