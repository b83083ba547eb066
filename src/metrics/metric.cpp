#include "metrics/metric.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "metrics/module_home.h"

namespace roundtrip::metrics {

Tensor Metric::score_where(const Tensor&, const Tensor&, const Tensor&) {
  throw Error(ErrorKind::kInternal, fmt::format("{} is not taken over some pixels alone", info_.name));
}

std::vector<std::string> metric_names() { return Metric::Plugins::names(); }

std::unique_ptr<Metric> make_metric(const std::string& name, const MetricParams& params, at::Device device) {
  const config::Params none("metric." + name, {});
  const auto own = params.find(name);
  const config::Params& section = own == params.end() ? none : own->second;
  std::unique_ptr<Metric> metric = Metric::Plugins::make(name, section, device);
  section.check_all_read(fmt::format("metric '{}'", name));
  return metric;
}

std::map<std::string, std::filesystem::path> metric_files(const MetricParams& params,
                                                          const std::vector<std::string>& metrics) {
  std::map<std::string, std::filesystem::path> files;
  for (const auto& [name, section] : params) {
    if (!Metric::Plugins::has(name)) {
      const std::vector<std::string> known = metric_names();
      throw Error(ErrorKind::kType, fmt::format("metric.{}: there is no metric {}; expected one of {}.{}", name,
                                                name_text(name), join(known, ", "), did_you_mean(name, known)));
    }
    for (const auto& [key, value] : section.values()) {
      if (!config::Params::is_path(key)) continue;
      if (const std::filesystem::path file = section.get_path(key); !file.empty()) {
        files.emplace(fmt::format("metric.{}.{}", name, key), file);
      }
    }
  }
  for (const std::string& name : metrics) {
    const MetricInfo& info = Metric::Plugins::info(name);
    if (info.module_name == nullptr) continue;
    const auto own = params.find(name);
    const std::filesystem::path file = module_file(info, own == params.end() ? config::Params() : own->second);
    // emplace keeps the file that the section names.
    if (!file.empty()) files.emplace(fmt::format("metric.{}.path", name), file);
  }
  return files;
}

void check_pair(const Tensor& reference, const Tensor& test) {
  check(reference.dim() == 4 && reference.sizes() == test.sizes(),
        fmt::format("metrics compare two batches of one shape [N, C, H, W]; found {} and {}",
                    shape_text(reference.sizes()), shape_text(test.sizes())));
}

}  // namespace roundtrip::metrics
