// A metric computed by a TorchScript module. Without a module its column is NaN, and a note says how to get one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "metrics/metric.h"
#include "metrics/noted_module.h"

namespace roundtrip::metrics {

class ModuleMetric : public Metric {
 public:
  std::string unavailable() const override;
  Tensor score(const Inputs& inputs) final;

 protected:
  // The module's own names, and where a module comes from, for those who gave none.
  struct Source {
    std::string note;      // the extra file of the module, a JSON object: "lpips.json"
    std::string expected;  // in messages: "a module written by ..."
    std::string remedy;    // "a module is written by: scripts/..."
  };

  // Reads the module that `path` of the section names. Throws as NotedModule does.
  ModuleMetric(const MetricInfo& info, const config::Params& params, at::Device device, Source source);

  // The scores [N] of one picture or more. Pictures that are not finite are taken care of.
  virtual Tensor score_by_module(const Inputs& inputs) = 0;

  // The module's output; throws its complaint where that is not of this shape.
  Tensor answer(std::vector<Tensor> inputs, at::IntArrayRef shape);

  std::filesystem::path path_;
  std::optional<NotedModule> module_;  // nothing where there is no path

 private:
  std::string remedy_;
};

}  // namespace roundtrip::metrics
