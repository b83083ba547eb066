// The gate: is a run as good as its baseline? It is judged by cell and by metric, over the images that both have.
//
// `worsening` is the mean over the images of the paired difference towards the metric's bad side, with Student's
// interval.
//   pass          all of the interval is within the tolerance
//   fail          all of it is beyond, or an image that the baseline has is missing or failed
//   inconclusive  the tolerance is inside the interval: more images, or a wider tolerance, would decide
//   missing       the run does not have the cell or the metric: a failure
//   new           the baseline does not have it: nothing is judged
// One image gives no interval; its difference is compared with the tolerance directly.
// Seconds are judged separately, by ranks (Mann-Whitney), and only between like machines.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/gate/tolerances.h"
#include "analysis/statistics/interval.h"
#include "analysis/table/results.h"

namespace roundtrip::analysis {

enum class GateVerdict { kPass, kFail, kInconclusive, kMissing, kNew };
std::string_view gate_verdict_text(GateVerdict verdict);

struct GateLine {
  GateVerdict verdict = GateVerdict::kPass;
  std::string cell, metric, units = {};
  double baseline = 0, run = 0;  // means over the images of both
  double worsening = 0;          // positive is worse
  Interval interval = {};        // of worsening
  double tolerance = 0;
  int64_t images = 0;
  std::string note = {};  // reason, if the numbers do not show it
};

struct GateReport {
  std::vector<GateLine> quality, timing;
  std::string baseline_name, run_name;

  int64_t count(GateVerdict verdict) const;
  int64_t compared() const;  // lines with numbers on both sides
  bool failed() const { return count(GateVerdict::kFail) + count(GateVerdict::kMissing) > 0; }
  // 0 passed, 4 failed, 5 inconclusive or nothing compared.
  int exit_code() const;
  std::string summary() const;  // one line
};

struct GateOptions {
  Tolerances tolerances = Tolerances::built_in();
  bool timing = false;
};

// Throws kInput if the two do not compare: metrics of different versions, or timing between unlike machines.
GateReport judge_run(const Results& baseline, const Results& run, const GateOptions& options);

// Sorts the worst first: failures, missing, inconclusive, the rest, each in the order of the run.
std::vector<const GateLine*> worst_first(const GateReport& report);

std::string gate_table(const GateReport& report);        // for a terminal: every line that did not pass, and the counts
std::string gate_junit(const GateReport& report);        // JUnit XML
std::string gate_annotations(const GateReport& report);  // GitHub's ::error lines: the worst ten, and how many more
std::string gate_markdown(const GateReport& report);     // for GitHub's step summary
std::string gate_json(const GateReport& report);

}  // namespace roundtrip::analysis
