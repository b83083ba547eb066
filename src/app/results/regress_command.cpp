// roundtrip regress: compares a run with a baseline, as the gate of a project's CI.
#include <cstdlib>
#include <memory>

#include "analysis/gate/baseline.h"
#include "analysis/gate/gate.h"
#include "app/commands.h"
#include "app/results/arguments.h"
#include "base/error.h"

namespace roundtrip::app {
namespace {

constexpr const char* kHelp =
    R"(Holds a run against a baseline: cell by cell and metric by metric, in the mean over the same images.

  --baseline FILE       a results file, or one that --update-baseline wrote
  --tolerances FILE     YAML on top of the built-in tolerances (docs/gate.md)
  --timing              judges seconds too; refused where the machines or the timing modes differ
  --junit FILE          JUnit XML
  --json FILE           every verdict with its numbers
  --summary FILE        Markdown; appended to $GITHUB_STEP_SUMMARY where that is set
  --annotations         GitHub's ::error lines; on where $GITHUB_ACTIONS is set
  --update-baseline     writes the run as the baseline and says what that changes, instead of judging

Exit codes: 0 passed, 4 failed, 5 inconclusive or nothing compared, 1 the two cannot be compared.
)";

int update(const analysis::Results& run, const std::filesystem::path& baseline) {
  if (run.records() == 0) throw input_error(run.reader().path().string(), "no records", "a run to make a baseline of");
  std::string changes = "a new baseline\n";
  if (std::filesystem::exists(baseline)) {
    changes = analysis::baseline_changes(analysis::Results(baseline, run.images()), run);
  }
  analysis::write_baseline(run, baseline);
  fmt::print("{}{} now holds {} records of {}\n", changes.empty() ? "no mean changes\n" : changes, baseline.string(),
             run.records(), run.name());
  return 0;
}

void write_reports(const Arguments& arguments, const analysis::GateReport& report) {
  if (const auto file = arguments.path("--junit")) write_text(*file, analysis::gate_junit(report));
  if (const auto file = arguments.path("--json")) write_text(*file, analysis::gate_json(report));
  if (const auto file = arguments.path("--summary")) write_text(*file, analysis::gate_markdown(report));
  const char* step_summary = std::getenv("GITHUB_STEP_SUMMARY");
  if (step_summary != nullptr && *step_summary != '\0') append_text(step_summary, analysis::gate_markdown(report));
  const char* in_actions = std::getenv("GITHUB_ACTIONS");
  if (arguments.has("--annotations") || (in_actions != nullptr && std::string_view(in_actions) == "true")) {
    write_text("-", analysis::gate_annotations(report));
  }
}

int regress_command(const Words& words) {
  const Arguments arguments(
      words, {.synopsis = "regress RUN --baseline FILE [--tolerances FILE] [--timing] [--update-baseline] ...",
              .options = {"--baseline", "--tolerances", "--junit", "--json", "--summary"},
              .switches = {"--timing", "--annotations", "--update-baseline"},
              .help = kHelp});
  if (arguments.help_shown()) return 0;
  const auto baseline_file = arguments.path("--baseline");
  if (!baseline_file) throw Error(ErrorKind::kUsage, "roundtrip regress: expected --baseline FILE");
  const analysis::Results run(arguments.positions().front());
  if (arguments.has("--update-baseline")) return update(run, *baseline_file);

  const analysis::Results baseline(*baseline_file, run.images());
  analysis::GateOptions options{.timing = arguments.has("--timing")};
  if (const auto file = arguments.path("--tolerances")) options.tolerances = analysis::Tolerances::read(*file);
  const analysis::GateReport report = analysis::judge_run(baseline, run, options);
  write_text("-", analysis::gate_table(report));
  write_reports(arguments, report);
  return report.exit_code();
}

const CommandRegistration registration{{.name = "regress",
                                        .group = CommandGroup::kResults,
                                        .synopsis = "regress RUN --baseline FILE",
                                        .summary = "the gate for CI: is the run as good as its baseline?",
                                        .run = regress_command}};

}  // namespace
}  // namespace roundtrip::app
