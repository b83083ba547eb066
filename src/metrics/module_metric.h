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
  // Names used by the module, and advice on where to get one.
  struct Source {
    std::string note;      // the extra file of the module, a JSON object: "lpips.json"
    std::string expected;  // in messages: "a module written by ..."
    std::string remedy;    // "a module is written by: scripts/..."
  };

  // Reads the module that `path` in the section names. Throws as NotedModule does.
  ModuleMetric(const MetricInfo& info, const config::Params& params, at::Device device, Source source);

  // Returns scores [N] of one picture or more. The caller handles pictures that are not finite.
  virtual Tensor score_by_module(const Inputs& inputs) = 0;

  // Returns the module's output; throws its complaint if the output does not have this shape.
  Tensor answer(std::vector<Tensor> inputs, at::IntArrayRef shape);

  std::filesystem::path path_;
  std::optional<NotedModule> module_;  // empty without a path

 private:
  std::string remedy_;
};

}  // namespace roundtrip::metrics
