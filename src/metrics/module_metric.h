// A metric that a TorchScript module computes: as long as no module is given its column is NaN, and says how to get
// one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "metrics/metric.h"
#include "metrics/noted_module.h"

namespace roundtrip::metrics {

class ModuleMetric : public Metric {
 public:
  const MetricInfo& info() const override { return info_; }
  std::string unavailable() const override;
  Tensor score(const Tensor& reference, const Tensor& test) final;

 protected:
  // `remedy` says where a module comes from, for those who gave no path. Throws as NotedModule does.
  ModuleMetric(MetricInfo info, const std::filesystem::path& path, at::Device device, NotedModule::Names names,
               std::string remedy);

  // With a module and one pair or more: [N]. Pictures that are not finite are taken care of.
  virtual Tensor judge(const Tensor& reference, const Tensor& test) = 0;

  // What the module answers; throws its complaint where that is not of this shape.
  Tensor answer(std::vector<Tensor> inputs, at::IntArrayRef shape);

  MetricInfo info_;
  std::optional<NotedModule> module_;  // nothing where there is no path

 private:
  std::string key_, remedy_;
};

}  // namespace roundtrip::metrics
