#include "metrics/module_metric.h"

#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"

namespace roundtrip::metrics {

ModuleMetric::ModuleMetric(MetricInfo info, const std::filesystem::path& path, at::Device device,
                           NotedModule::Names names, std::string remedy)
    : info_(std::move(info)), key_(names.key), remedy_(std::move(remedy)) {
  if (!path.empty()) module_.emplace(path, device, std::move(names));
}

std::string ModuleMetric::unavailable() const {
  if (module_) return {};
  return fmt::format("{}: {} is empty, so the column will be NaN; {}", info_.name, key_, remedy_);
}

Tensor ModuleMetric::score(const Tensor& reference, const Tensor& test) {
  if (!info_.on_caption) check_pair(reference, test);
  const auto options = test.options().dtype(at::kDouble);
  if (!module_) return at::full({test.size(0)}, std::nan(""), options);
  if (test.size(0) == 0) return at::empty({0}, options);
  // A network may lose a NaN on its way.
  const Tensor finite = at::isfinite(test).flatten(1).all(1);
  return judge(reference, test).to(at::kDouble).masked_fill(finite.logical_not(), std::nan(""));
}

Tensor ModuleMetric::answer(std::vector<Tensor> inputs, at::IntArrayRef shape) {
  Tensor found = (*module_)(std::move(inputs));
  if (found.sizes() != shape) {
    throw module_->complaint(fmt::format("its module answers {}", shape_text(found.sizes())), shape_text(shape));
  }
  return found;
}

}  // namespace roundtrip::metrics
