// Sections of a report as HTML. A section is empty if the results have nothing for it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/claims/claim_check.h"
#include "analysis/report/report_data.h"

namespace roundtrip::analysis {

std::string summary_section(const ReportData& data, const std::vector<ClaimCheck>& claims);
std::string cells_section(const ReportData& data);      // the table of all settings
std::string curves_section(const ReportData& data);     // measures over steps, guidance and swept parameters
std::string steps_section(const ReportData& data);      // how the error grows during sampling
std::string tradeoffs_section(const ReportData& data);  // quality against cost; fidelity against edit success
std::string pictures_section(const ReportData& data, const std::optional<std::string>& chosen);
std::string timing_section(const ReportData& data);
std::string failures_section(const ReportData& data);
std::string claims_section(const std::vector<ClaimCheck>& claims);
std::string baseline_section(const ReportData& data, const Results& baseline);
std::string provenance_section(const ReportData& data);

// Returns a section with its heading, or "" if `content` is empty.
std::string section_html(const std::string& id, const std::string& heading, const std::string& content);

// "3 methods", "1 image".
std::string counted(int64_t count, const std::string& noun);

// First measure of a report: psnr if measured, for edits against their exact answer. nullptr without any measure.
const store::Column* leading_metric(const ReportData& data, const std::string& task = "reconstruct");

}  // namespace roundtrip::analysis
