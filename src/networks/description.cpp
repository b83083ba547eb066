// What registered itself in the rooms of this program, for the one without LibTorch (app/description.h).
#include "app/description.h"

#include <algorithm>

#include <fmt/format.h>

#include "app/commands.h"
#include "base/error.h"
#include "config/section.h"
#include "data/dataset.h"
#include "hydra/launch/launch.h"
#include "inversion/method.h"
#include "metrics/metric.h"
#include "run/provenance.h"
#include "run/schema.h"

namespace roundtrip::networks {
namespace {

using ParametersByMethod = std::map<std::string, std::map<std::string, std::string>>;

// What methods read of their section, asked by making each with every option of the group `method`.
ParametersByMethod parameters() {
  ParametersByMethod found;
  const hydra::SearchPath path = hydra::SearchPath::built_in();
  for (const std::string& option : path.options("method")) {
    hydra::Flags flags;
    flags.overrides = {"method=" + option};
    const hydra::Node job = hydra::preview(flags, path, hydra::Strictness::kLenient).job;
    const config::Params params = config::section_params(job, "method");
    const std::string name = params.get_string("name");
    try {
      inversion::make_method(name, params);
    } catch (const Error&) {  // a ??? among them: what was asked until then is told
    }
    for (const auto& [key, type] : params.asked()) {
      if (key != "name") found[name][key] = type;
    }
  }
  return found;
}

app::MetricDescription described(const std::string& metric) {
  const metrics::MetricInfo info = metrics::make_metric(metric, {})->info();
  return {metric, fmt::format("{}{} ({} is better)", info.long_name, info.units.empty() ? "" : ", in " + info.units,
                              info.direction == metrics::Direction::kHigherIsBetter ? "higher" : "lower")};
}

app::Description described() {
  app::Description all{.version = run::version_line(),
                       .commands = app::registered_commands(),
                       .keys = run::schema().key_infos(),
                       .methods = {},
                       .metrics = {},
                       .datasets = data::dataset_names()};
  ParametersByMethod read = parameters();
  for (const inversion::MethodInfo& info : inversion::methods()) {
    all.methods.push_back({info.name, info.summary, info.source, std::move(read[info.name])});
  }
  for (const std::string& name : metrics::metric_names()) all.metrics.push_back(described(name));
  std::ranges::find(all.keys, "metrics", &hydra::KeyInfo::path)->words = metrics::metric_names();
  return all;
}

}  // namespace
}  // namespace roundtrip::networks

namespace roundtrip::app {

std::string description_text() { return description_json(networks::described()); }

}  // namespace roundtrip::app
