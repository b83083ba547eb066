// A metric computed by a TorchScript module: the file that `path` names, or else the one of the home of modules
// (module_home.h). Without a module its column is NaN, and a note says how to get one.
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
    std::string note;         // the extra file of the module, a JSON object: "lpips.json"
    std::string expected;     // in messages: "a module written by ..."
    std::string remedy = {};  // for a metric without module_name: "the classifier of scenes is ..."
  };

  // Reads the module. Throws as NotedModule does, and kType for a wrong parameter.
  ModuleMetric(const MetricInfo& info, const config::Params& params, at::Device device, Source source);

  // Returns scores [N] of one picture or more. The caller handles pictures that are not finite.
  virtual Tensor score_by_module(const Inputs& inputs) = 0;

  // Returns the module's output; throws its complaint if the output does not have this shape.
  Tensor answer(std::vector<Tensor> inputs, at::IntArrayRef shape);

  // Throws the module's complaint unless its network is the one that the parameter `net` asks for.
  void check_network(const std::string& found, const std::string& expected) const;

  std::filesystem::path path_;         // of the module
  std::optional<NotedModule> module_;  // empty without a module

 private:
  std::string unavailable_;
};

// Returns whether the module must hold the network that `net` names: if `net` is set, or the module comes from the
// home, where files are named by network. Any network is accepted from a `path` without `net`.
bool asks_for_network(const config::Params& params);

// Throws the module's complaint unless its distances of equal pictures, [N], are 0 up to `tolerance`: another module.
void check_distance(const NotedModule& module, const Tensor& of_equal, double tolerance);

}  // namespace roundtrip::metrics
