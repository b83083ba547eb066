#include "metrics/module_home.h"

#include <cstdlib>
#include <system_error>

namespace roundtrip::metrics {
namespace {

namespace fs = std::filesystem;

// An empty variable counts as unset, as the XDG specification says.
fs::path folder_in(const char* variable) {
  const char* value = std::getenv(variable);
  return value == nullptr ? fs::path() : fs::path(value);
}

}  // namespace

fs::path home_of_modules() {
  if (const fs::path own = folder_in("ROUNDTRIP_METRICS"); !own.empty()) return own;
  // The specification ignores relative paths here.
  if (const fs::path data = folder_in("XDG_DATA_HOME"); data.is_absolute()) return data / "roundtrip/metrics";
  if (const fs::path home = folder_in("HOME"); !home.empty()) return home / ".local/share/roundtrip/metrics";
  return {};
}

fs::path module_file(const MetricInfo& info, const config::Params& params) {
  if (fs::path named = params.get_path("path"); !named.empty()) return named;
  const fs::path home = home_of_modules();
  if (info.module_name == nullptr || home.empty()) return {};
  fs::path file = home / (info.module_name(params) + ".pt");
  std::error_code ignored;
  return fs::exists(file, ignored) ? file : fs::path();
}

}  // namespace roundtrip::metrics
