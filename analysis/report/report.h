// Report: one self-contained HTML file, readable without a network and without JavaScript.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "analysis/claims/claim_check.h"
#include "analysis/table/results.h"

namespace roundtrip::analysis {

struct ReportOptions {
  std::string title = {};                             // empty: the names of the runs
  std::shared_ptr<const Results> baseline = nullptr;  // compared with the first run
  std::optional<std::string> sample = std::nullopt;   // image to show across settings
  std::vector<ClaimCheck> claims = {};
};

std::string report_html(const std::vector<std::shared_ptr<const Results>>& runs, const ReportOptions& options);

}  // namespace roundtrip::analysis
