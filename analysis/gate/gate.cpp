#include "analysis/gate/gate.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "analysis/compare/matching.h"
#include "analysis/gate/timing.h"
#include "analysis/statistics/description.h"
#include "analysis/table/sample_values.h"
#include "base/text.h"
#include "columns/columns.h"

namespace roundtrip::analysis {
namespace {

std::vector<store::Column> judged(const Results& results) {
  std::vector<store::Column> columns = results.metrics();
  std::ranges::copy_if(results.costs(), std::back_inserter(columns),
                       [](const store::Column& column) { return column.name != columns::kSeconds.name; });
  return columns;
}

bool measured(const Results& results, const Cell& cell, const std::string& column) {
  const std::vector<double>& numbers = results.numbers(column);
  return std::ranges::any_of(cell.rows, [&](int32_t row) { return !std::isnan(numbers[row]); });
}

// Says in words what the run lacks for an image of the baseline; empty if nothing.
std::string lacking(const Pairs& pairs) {
  int64_t failed = 0;
  for (size_t k = 0; k < pairs.a.size(); ++k) failed += !std::isnan(pairs.a[k]) && std::isnan(pairs.b[k]);
  std::vector<std::string> parts;
  if (pairs.only_a > 0) parts.push_back(fmt::format("{} images are missing", pairs.only_a));
  if (failed > 0) parts.push_back(fmt::format("{} images have no value", failed));
  return join(parts, ", ");
}

// Counts images that are infinitely worse in the run: exact (infinite) on one side only, towards the bad side.
int64_t infinitely_worse(const Pairs& pairs, double bad_sign) {
  int64_t worse = 0;
  for (size_t k = 0; k < pairs.a.size(); ++k)
    worse += std::isinf(bad_sign * (pairs.b[k] - pairs.a[k])) && bad_sign * (pairs.b[k] - pairs.a[k]) > 0;
  return worse;
}

GateVerdict verdict_of(const GateLine& line) {
  if (!line.interval.known()) return line.worsening > line.tolerance ? GateVerdict::kFail : GateVerdict::kPass;
  if (line.interval.high <= line.tolerance) return GateVerdict::kPass;
  return line.interval.low > line.tolerance ? GateVerdict::kFail : GateVerdict::kInconclusive;
}

GateLine judge_metric(const Results& baseline, const Cell& before, const Results& run, const Cell& now,
                      const store::Column& column, const Tolerances& tolerances) {
  GateLine line{.cell = run.label(now), .metric = column.name, .units = column.units};
  const Pairs pairs = pair_up(sample_values(baseline, before, column.name), sample_values(run, now, column.name));
  const double bad_sign = column.direction == "higher" ? -1 : 1;
  Differences difference = differences(pairs.a, pairs.b);
  for (double& each : difference.finite) each *= bad_sign;
  line.images = static_cast<int64_t>(difference.finite.size());
  line.baseline = mean_of(finite_values(pairs.a));
  line.run = mean_of(finite_values(pairs.b));
  line.worsening = line.images > 0 ? mean_of(difference.finite) : 0;
  line.interval = student_interval(difference.finite, tolerances.confidence());
  line.tolerance = tolerances.quality(column.name, run, now).around(line.baseline);
  line.verdict = verdict_of(line);
  if (const int64_t worse = infinitely_worse(pairs, bad_sign); worse > 0) {
    line.verdict = GateVerdict::kFail;
    line.note = fmt::format("{} images are no longer exact", worse);
  }
  if (std::string lack = lacking(pairs); !lack.empty()) {
    line.verdict = GateVerdict::kFail;
    line.note = std::move(lack);
  }
  return line;
}

void judge_cell(const Results& baseline, const Cell& before, const Results& run, const Cell& now,
                const GateOptions& options, GateReport& report) {
  for (const store::Column& column : judged(baseline)) {
    if (!measured(baseline, before, column.name)) continue;
    if (run.find(column.name) == nullptr) {
      report.quality.push_back({.verdict = GateVerdict::kMissing,
                                .cell = run.label(now),
                                .metric = column.name,
                                .note = "the run does not have this metric"});
    } else {
      report.quality.push_back(judge_metric(baseline, before, run, now, column, options.tolerances));
    }
  }
  for (const store::Column& column : judged(run)) {
    if (baseline.find(column.name) != nullptr) continue;
    report.quality.push_back({.verdict = GateVerdict::kNew,
                              .cell = run.label(now),
                              .metric = column.name,
                              .note = "the baseline does not have this metric"});
  }
  if (options.timing) report.timing.push_back(judge_timing(baseline, before, run, now, options.tolerances));
}

}  // namespace

GateReport judge_run(const Results& baseline, const Results& run, const GateOptions& options) {
  require_equal_versions(baseline, run);
  if (options.timing) require_like_machines(baseline, run);
  GateReport report{.quality = {}, .timing = {}, .baseline_name = baseline.name(), .run_name = run.name()};
  for (const CellMatch& match : match_cells(baseline, run)) {
    if (match.b == nullptr) {
      report.quality.push_back({.verdict = GateVerdict::kMissing,
                                .cell = baseline.label(*match.a),
                                .metric = "*",
                                .note = "the run does not have this cell"});
    } else if (match.a == nullptr) {
      report.quality.push_back({.verdict = GateVerdict::kNew,
                                .cell = run.label(*match.b),
                                .metric = "*",
                                .note = "the baseline does not have this cell"});
    } else {
      judge_cell(baseline, *match.a, run, *match.b, options, report);
    }
  }
  return report;
}

std::string_view gate_verdict_text(GateVerdict verdict) {
  switch (verdict) {
    case GateVerdict::kPass:
      return "pass";
    case GateVerdict::kFail:
      return "fail";
    case GateVerdict::kInconclusive:
      return "inconclusive";
    case GateVerdict::kMissing:
      return "missing";
    case GateVerdict::kNew:
      return "new";
  }
  return "?";
}

int64_t GateReport::count(GateVerdict verdict) const {
  return std::ranges::count(quality, verdict, &GateLine::verdict) +
         std::ranges::count(timing, verdict, &GateLine::verdict);
}

int64_t GateReport::compared() const {
  const auto has_numbers = [](const GateLine& line) { return line.images > 0; };
  return std::ranges::count_if(quality, has_numbers) + std::ranges::count_if(timing, has_numbers);
}

int GateReport::exit_code() const {
  if (compared() == 0) return 5;
  if (failed()) return 4;
  return count(GateVerdict::kInconclusive) > 0 ? 5 : 0;
}

std::string GateReport::summary() const {
  if (compared() == 0)
    return fmt::format("nothing compared: {} and {} have nothing in common", run_name, baseline_name);
  const std::string verdict = exit_code() == 0 ? "passed" : failed() ? "failed" : "inconclusive";
  return fmt::format("{}: {} pass, {} fail, {} missing, {} inconclusive, {} new", verdict, count(GateVerdict::kPass),
                     count(GateVerdict::kFail), count(GateVerdict::kMissing), count(GateVerdict::kInconclusive),
                     count(GateVerdict::kNew));
}

std::vector<const GateLine*> worst_first(const GateReport& report) {
  const auto badness = [](const GateLine* line) {
    switch (line->verdict) {
      case GateVerdict::kFail:
        return 0;
      case GateVerdict::kMissing:
        return 1;
      case GateVerdict::kInconclusive:
        return 2;
      case GateVerdict::kNew:
        return 3;
      case GateVerdict::kPass:
        break;
    }
    return 4;
  };
  std::vector<const GateLine*> lines;
  for (const std::vector<GateLine>* all : {&report.quality, &report.timing}) {
    for (const GateLine& line : *all) lines.push_back(&line);
  }
  std::ranges::stable_sort(lines, {}, badness);
  return lines;
}

}  // namespace roundtrip::analysis
