// roundtrip report: writes results as one HTML file.
#include <fmt/format.h>

#include "analysis/claims/expectations.h"
#include "analysis/report/report.h"
#include "app/commands.h"
#include "app/results/arguments.h"
#include "base/text.h"

namespace roundtrip::app {
namespace {

constexpr const char* kHelp =
    R"(Writes one HTML file with everything inside: summary, settings, curves, error by step, quality against cost, pictures,
claims, timing, failures, provenance. It opens without a network.

  -o, --output FILE     where to; report.html in the folder of the first run otherwise
  --baseline FILE       adds what differs from another run
  --expect FILE         claims to check, instead of those in the config of the run
  --sample ID           the image that is shown across all settings
  --title TEXT
)";

int report_command(const Words& words) {
  const Arguments arguments(words, {.synopsis = "report RUN... [-o report.html] [--baseline FILE]",
                                    .most_positions = 64,
                                    .options = {"--output", "--baseline", "--expect", "--sample", "--title"},
                                    .help = kHelp});
  if (arguments.help_shown()) return 0;
  const auto images = std::make_shared<analysis::Names>();
  std::vector<std::shared_ptr<const analysis::Results>> runs;
  for (const std::string& run : arguments.positions()) {
    runs.push_back(std::make_shared<const analysis::Results>(run, images));
  }
  analysis::ReportOptions options{.title = arguments.option("--title").value_or(""),
                                  .sample = arguments.option("--sample")};
  const auto file = arguments.path("--expect");
  for (const analysis::Claim& claim : file ? analysis::claims_of_file(*file) : analysis::claims_of_run(*runs.front())) {
    options.claims.push_back(analysis::check_claim(claim, *runs.front()));
  }
  if (const auto baseline = arguments.path("--baseline")) {
    options.baseline = std::make_shared<const analysis::Results>(*baseline, images);
  }
  const std::string html = analysis::report_html(runs, options);
  const std::filesystem::path output =
      arguments.path("--output").value_or(runs.front()->reader().path().parent_path() / "report.html");
  write_text(output, html);
  if (output != "-") {
    fmt::print("{} ({}, {} settings)\n", output.string(), bytes_text(static_cast<double>(html.size())),
               runs.front()->cells().size());
  }
  return 0;
}

const CommandRegistration registration{{.name = "report",
                                        .group = CommandGroup::kResults,
                                        .synopsis = "report RUN... [-o FILE]",
                                        .summary = "tables, figures and pictures in one HTML file",
                                        .run = report_command}};

}  // namespace
}  // namespace roundtrip::app
