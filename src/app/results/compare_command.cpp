// roundtrip compare: compares two runs, or two parts of one, image by image.
#include <memory>

#include "analysis/claims/claim.h"
#include "analysis/compare/comparison.h"
#include "app/commands.h"
#include "app/results/arguments.h"
#include "base/error.h"

namespace roundtrip::app {
namespace {

analysis::Comparison compare(const Arguments& arguments) {
  const std::vector<std::string> metrics = arguments.all("--metric"), parts = arguments.all("--where");
  const auto images = std::make_shared<analysis::Names>();
  const analysis::Results a(arguments.positions().front(), images);
  if (arguments.positions().size() == 2) {
    if (!parts.empty()) throw Error(ErrorKind::kUsage, "--where selects in one run; expected one RUN with it");
    const analysis::Results b(arguments.positions().back(), images);
    return analysis::compare_runs(a, b, metrics);
  }
  if (parts.size() != 2) {
    throw Error(ErrorKind::kUsage, "roundtrip compare: one run; expected a second one, or --where twice");
  }
  return analysis::compare_within(a, analysis::parse_selector(parts[0], "--where"),
                                  analysis::parse_selector(parts[1], "--where"), metrics);
}

int compare_command(const Words& words) {
  const Arguments arguments(
      words,
      {.synopsis = "compare A B [--metric NAME ...] [--json FILE]",
       .most_positions = 2,
       .options = {"--metric", "--where", "--json"},
       .help = "Pairs the images of two runs, setting by setting: means, the difference with its bootstrap "
               "interval, the\nWilcoxon signed-rank test (Holm-corrected over settings), and on how many images B is "
               "better and worse.\n\nWithin one run: roundtrip compare RUN --where method=ddim --where "
               "method=null_text\n"});
  if (arguments.help_shown()) return 0;
  const analysis::Comparison comparison = compare(arguments);
  const auto json = arguments.path("--json");
  if (json) write_text(*json, analysis::comparison_json(comparison));
  if (!json || *json != "-") write_text("-", analysis::comparison_table(comparison));
  return comparison.cells.empty() ? 5 : 0;
}

const CommandRegistration registration{{.name = "compare",
                                        .group = CommandGroup::kResults,
                                        .synopsis = "compare A B",
                                        .summary = "two runs, image by image: differences, intervals, tests",
                                        .run = compare_command}};

}  // namespace
}  // namespace roundtrip::app
