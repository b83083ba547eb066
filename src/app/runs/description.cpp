// Describes the plug-ins of this program for the one without LibTorch (app/description.h).
#include "app/description.h"

#include <algorithm>

#include <fmt/format.h>

#include "app/commands.h"
#include "base/error.h"
#include "config/launch.h"
#include "config/section.h"
#include "data/dataset.h"
#include "editing/editor.h"
#include "inversion/method.h"
#include "metrics/metric.h"
#include "plan/schema.h"
#include "run/provenance.h"

namespace roundtrip::app {
namespace {

// The plug-ins of a group ("method") with the parameters that they read in its section, learnt by making each with
// every option of the group.
template <typename Infos, typename Make>
std::vector<PluginDescription> plugins(const std::string& group, const Infos& infos, Make make) {
  std::map<std::string, std::map<std::string, std::string>> read;
  const hydra::SearchPath path = hydra::SearchPath::built_in();
  for (const std::string& option : path.options(group)) {
    hydra::Flags flags;
    flags.overrides = {group + "=" + option};
    const hydra::Node job = hydra::preview(flags, path, hydra::Strictness::kLenient).job;
    const config::Params params = config::section_params(job, group);
    const std::string name = params.get_string("name");
    try {
      make(name, params);
    } catch (const Error&) {  // e.g. a ???: keep the keys read so far
    }
    for (const auto& [key, type] : params.asked()) {
      if (key != "name") read[name][key] = type;
    }
  }
  std::vector<PluginDescription> all;
  for (const auto& info : infos) all.push_back({info.name, info.summary, info.source, std::move(read[info.name])});
  return all;
}

MetricDescription described(const std::string& metric) {
  const metrics::MetricInfo& info = metrics::Metric::Plugins::info(metric);
  return {metric, fmt::format("{}{} ({} is better)", info.long_name, info.units.empty() ? "" : ", in " + info.units,
                              info.direction == metrics::Direction::kHigherIsBetter ? "higher" : "lower")};
}

// Config keys that a metric reads from its section.
std::vector<hydra::KeyInfo> keys_of(const std::string& metric, const hydra::Node& job) {
  const std::string section = "metric." + metric;
  const metrics::MetricParams params = {{metric, config::scalar_params(job, section)}};
  try {
    metrics::make_metric(metric, params);
  } catch (const Error&) {  // as above
  }
  std::vector<hydra::KeyInfo> keys;
  for (const auto& [key, type] : params.at(metric).asked()) {
    keys.push_back({section + "." + key, type, "", "parameter of " + metric, {}, config::Params::is_path(key)});
  }
  return keys;
}

Description described() {
  Description all{.version = run::version_line(),
                  .commands = registered_commands(),
                  .keys = plan::schema().key_infos(),
                  .methods = plugins("method", inversion::methods(), inversion::make_method),
                  .editors = plugins("editor", editing::editors(), editing::make_editor),
                  .metrics = {},
                  .datasets = data::dataset_names()};
  const hydra::Node job = hydra::preview({}, hydra::SearchPath::built_in(), hydra::Strictness::kLenient).job;
  for (const std::string& name : metrics::metric_names()) {
    all.metrics.push_back(described(name));
    for (hydra::KeyInfo& key : keys_of(name, job)) all.keys.push_back(std::move(key));
  }
  std::ranges::find(all.keys, "metrics", &hydra::KeyInfo::path)->words = metrics::metric_names();
  return all;
}

// Called late, when the rooms have registered everything.
const DescriptionRegistration registration{[] { return description_json(described()); }};

}  // namespace

}  // namespace roundtrip::app
