#include "metrics/metric.h"

#include <map>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"

namespace roundtrip::metrics {
namespace {

std::map<std::string, MetricFactory>& registry() {
  static std::map<std::string, MetricFactory> factories;  // inside a function: registrations run before main
  return factories;
}

}  // namespace

MetricRegistration::MetricRegistration(std::string name, MetricFactory factory) {
  const bool is_new = registry().emplace(name, std::move(factory)).second;
  check(is_new, fmt::format("metric '{}' is registered once", name));
}

std::vector<std::string> metric_names() {
  std::vector<std::string> names;
  for (const auto& [name, factory] : registry()) names.push_back(name);
  return names;
}

std::unique_ptr<Metric> make_metric(const std::string& name, const MetricOptions& options) {
  const auto found = registry().find(name);
  if (found == registry().end()) {
    const std::vector<std::string> names = metric_names();
    throw input_error("metrics", fmt::format("there is no metric {}", name_text(name)),
                      fmt::format("one of {}.{}", join(names, ", "), did_you_mean(name, names)));
  }
  return found->second(options);
}

void check_pair(const Tensor& reference, const Tensor& test) {
  check(reference.dim() == 4 && reference.sizes() == test.sizes(),
        fmt::format("metrics compare two batches of one shape [N, C, H, W]; found {} and {}",
                    shape_text(reference.sizes()), shape_text(test.sizes())));
}

}  // namespace roundtrip::metrics
