#include "analysis/gate/timing.h"

#include "analysis/statistics/description.h"
#include "analysis/statistics/mann_whitney.h"
#include "base/error.h"
#include "columns/columns.h"

namespace roundtrip::analysis {
namespace {

std::string entry_of(const std::map<std::string, std::string>& entries, const std::string& key) {
  const auto found = entries.find(key);
  return found == entries.end() ? "unknown" : found->second;
}

// "isolated", "amortised", or both.
std::string timing_mode(const Results& results) {
  if (!results.reader().has(columns::kTiming) || results.records() == 0) return "unknown";
  return results.reader().texts(columns::kTiming, 0, 1).front();
}

std::vector<double> seconds_of(const Results& results, const Cell& cell) {
  const std::vector<double>& all = results.numbers(columns::kSeconds);
  std::vector<double> seconds;
  for (const int32_t row : cell.rows) seconds.push_back(all[row]);
  return finite_values(seconds);
}

}  // namespace

void require_like_machines(const Results& baseline, const Results& run) {
  const auto before = baseline.reader().provenance(), now = run.reader().provenance();
  const auto require = [&](const std::string& what, const std::string& found, const std::string& expected) {
    if (found == expected) return;
    throw input_error(
        run.reader().path().string(), fmt::format("timed with {} '{}'", what, found),
        fmt::format("'{}' as the baseline: seconds of unlike machines do not compare; leave --timing out", expected));
  };
  for (const char* key : {"processor", "cores", "threads", "device", "libtorch", "build_type"}) {
    require(key, entry_of(now, key), entry_of(before, key));
  }
  require("timing", timing_mode(run), timing_mode(baseline));
}

GateLine judge_timing(const Results& baseline, const Cell& before, const Results& run, const Cell& now,
                      const Tolerances& tolerances) {
  constexpr double kLevel = 0.01;
  GateLine line{.cell = run.label(now), .metric = columns::kSeconds, .units = "s"};
  const std::vector<double> old_seconds = seconds_of(baseline, before), new_seconds = seconds_of(run, now);
  if (old_seconds.empty() || new_seconds.empty()) {
    line.verdict = GateVerdict::kMissing;
    line.note = "no seconds were measured";
    return line;
  }
  line.images = static_cast<int64_t>(new_seconds.size());
  line.baseline = describe(old_seconds).median;
  line.run = describe(new_seconds).median;
  line.worsening = line.run - line.baseline;
  line.tolerance = tolerances.timing(columns::kSeconds, run, now).around(line.baseline);
  const double p = mann_whitney(new_seconds, old_seconds, Alternative::kGreater).p;
  if (line.worsening > line.tolerance) {
    line.verdict = p < kLevel ? GateVerdict::kFail : GateVerdict::kInconclusive;
    line.note = fmt::format("medians; p = {:.2g}", p);
  }
  return line;
}

}  // namespace roundtrip::analysis
