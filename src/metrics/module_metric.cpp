#include "metrics/module_metric.h"

#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "metrics/module_home.h"

namespace roundtrip::metrics {
namespace {

std::string reason_of_absence(const MetricInfo& info, const config::Params& params, const std::string& remedy) {
  if (info.module_name == nullptr) {
    return fmt::format("{0}: metric.{0}.path is empty, so the column will be NaN; {1}", info.name, remedy);
  }
  const std::string module = info.module_name(params);
  const std::filesystem::path home = home_of_modules();
  return fmt::format(
      "{0}: metric.{0}.path is empty and there is no {1}.pt in {2}, so the column will be NaN; get it by: "
      "scripts/get_metric {1}",
      info.name, module, home.empty() ? "the home of modules" : home.string());
}

}  // namespace

ModuleMetric::ModuleMetric(const MetricInfo& info, const config::Params& params, at::Device device, Source source)
    : Metric(info), path_(module_file(info, params)) {
  if (path_.empty()) {
    unavailable_ = reason_of_absence(info, params, source.remedy);
    return;
  }
  module_.emplace(path_, device,
                  NotedModule::Names{.key = fmt::format("metric.{}.path", info.name),
                                     .note = std::move(source.note),
                                     .expected = std::move(source.expected)});
}

std::string ModuleMetric::unavailable() const { return unavailable_; }

Tensor ModuleMetric::score(const Inputs& inputs) {
  if (info_.wants.reference) check_pair(inputs.reference, inputs.test);
  const auto options = inputs.test.options().dtype(at::kDouble);
  if (!module_) return at::full({inputs.test.size(0)}, std::nan(""), options);
  if (inputs.test.size(0) == 0) return at::empty({0}, options);
  // A network may drop a NaN on the way.
  Tensor finite = at::isfinite(inputs.test).flatten(1).all(1);
  if (info_.wants.reference) finite = finite.logical_and(at::isfinite(inputs.reference).flatten(1).all(1));
  return score_by_module(inputs).to(at::kDouble).masked_fill(finite.logical_not(), std::nan(""));
}

Tensor ModuleMetric::answer(std::vector<Tensor> inputs, at::IntArrayRef shape) {
  Tensor found = (*module_)(std::move(inputs));
  if (found.sizes() != shape) {
    throw module_->complaint(fmt::format("its module answers {}", shape_text(found.sizes())), shape_text(shape));
  }
  return found;
}

void ModuleMetric::check_network(const std::string& found, const std::string& expected) const {
  if (found == expected) return;
  throw module_->complaint(fmt::format("holds the network {}", name_text(found)),
                           fmt::format("{} (metric.{}.net)", name_text(expected), info_.name));
}

bool asks_for_network(const config::Params& params) {
  return params.get_path("path").empty() || (params.has("net") && !params.is_null("net"));
}

void check_distance(const NotedModule& module, const Tensor& of_equal, double tolerance) {
  if (of_equal.abs().le(tolerance).all().item<bool>()) return;
  throw module.complaint("its module does not find equal images 0 apart");
}

}  // namespace roundtrip::metrics
