// roundtrip merge: merges the parts of a sweep that was split.
#include <fmt/format.h>

#include "app/commands.h"
#include "app/results/arguments.h"
#include "base/error.h"
#include "store/merge_runs.h"

namespace roundtrip::app {
namespace {

constexpr const char* kHelp =
    R"(Writes DIR/results.h5 with every record of the runs: a sweep shared out over machines or jobs, by settings or by images
(dataset.ids, dataset.limit). A record is known by its setting, weights, image and edit, not by its place, so runs may
overlap: one that did not fail counts before one that did, else the earlier run's.

  -o, --output DIR      a new directory
)";

int merge_command(const Words& words) {
  const Arguments arguments(words, {.synopsis = "merge RUN... -o DIR",
                                    .least_positions = 2,
                                    .most_positions = 4096,
                                    .options = {"--output"},
                                    .help = kHelp});
  if (arguments.help_shown()) return 0;
  const auto output = arguments.path("--output");
  if (!output) throw Error(ErrorKind::kUsage, "roundtrip merge: expected -o DIR, the directory to write");
  std::vector<std::filesystem::path> results;
  for (const std::filesystem::path run : arguments.positions()) {
    results.push_back(std::filesystem::is_directory(run) ? run / "results.h5" : run);
  }
  const store::MergedRuns merged = store::merge_runs(results, *output);
  fmt::print("{} records of {} runs in {}{}{}\n", merged.records, results.size(), merged.results.string(),
             merged.repeated > 0 ? fmt::format("; {} were in more than one", merged.repeated) : "",
             merged.missing > 0 ? fmt::format("; {} that were planned are missing", merged.missing) : "");
  return 0;
}

const CommandRegistration registration{{.name = "merge",
                                        .group = CommandGroup::kResults,
                                        .synopsis = "merge RUN... -o DIR",
                                        .summary = "merge the parts of a sweep that was split",
                                        .run = merge_command}};

}  // namespace
}  // namespace roundtrip::app
