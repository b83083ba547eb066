// Two batches as the inputs of any metric, and the section of a metric with a module.
#pragma once

#include <filesystem>
#include <string>

#include "metrics/metric.h"
#include "support/empty_module_home.h"

namespace roundtrip::metrics {

// `reference` is also the answer to the edit, and the captions for metrics on those; the mask is the left half.
inline Inputs pair(const Tensor& reference, const Tensor& test) {
  Inputs inputs{.test = test, .reference = reference, .x0 = reference, .x = test, .caption = reference};
  inputs.target = reference;
  const int64_t width = test.size(3);
  inputs.mask = (at::arange(width) < width / 2).expand({test.size(0), 1, test.size(2), width});
  return inputs;
}

inline MetricParams with_module(const std::string& metric, const std::filesystem::path& file) {
  return {{metric, config::Params("metric." + metric, {{"path", file.string()}})}};
}

}  // namespace roundtrip::metrics
