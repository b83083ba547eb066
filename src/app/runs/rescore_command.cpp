// roundtrip rescore: computes further metrics on a run's saved images, without its networks.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <span>

#include <fmt/format.h>

#include "app/commands.h"
#include "app/results/arguments.h"
#include "app/runs/config_files.h"
#include "app/shell_words.h"
#include "base/error.h"
#include "base/text.h"
#include "config/params.h"
#include "hydra/compose/renamed_keys.h"
#include "hydra/override/override.h"
#include "rescore/rescore.h"
#include "run/interrupt.h"

namespace roundtrip::app {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSynopsis = "rescore RUN metrics=[...] [KEY=VALUE ...] [-o FILE]";
constexpr const char* kHelp =
    R"(Scores the pictures that a run kept (save.images=all, or worst-8) by other metrics, and writes a new results file with
every record of the run, its columns and the new ones. Nothing else of the run changes. RUN is its directory, or a
results file.

  metrics=[lpips,ssim]        what to score by
  metric.lpips.path=, metric.clip_similarity.path=, ...
                              parameters of metrics; else the run's
  dataset.path=               where the images lie now, for captions and the answers to edits
  engine.device=, engine.threads=
  -o, --output FILE           RUN/rescored.h5 otherwise
)";

Error usage_error(const std::string& what) { return Error(ErrorKind::kUsage, "roundtrip rescore: " + what); }

// Makes a typed path absolute: it is relative to the current folder, the run's paths to the folder of the run's call.
hydra::Node absolute(const hydra::Node& value) {
  return value.is_string() ? hydra::Node(fs::absolute(value.as_string()).string(), value.mark()) : value;
}

std::map<std::string, hydra::Node> read_settings(std::span<const std::string> words) {
  const std::vector<std::string>& keys = rescore::rescore_keys();
  std::map<std::string, hydra::Node> settings;
  std::vector<std::string> warnings;
  for (const std::string& word : words) {
    if (word.starts_with('-')) throw usage_error(fmt::format("there is no option {}", name_text(word)));
    std::vector<hydra::Override> items = {hydra::parse_override(word)};
    hydra::rename_keys(items, warnings);
    const hydra::Override& item = items.front();
    const bool of_metric = item.type == hydra::Override::Type::kChange && item.key.starts_with("metric.");
    if (!of_metric && std::ranges::find(keys, item.key_text()) == keys.end()) {
      throw usage_error(fmt::format("{} is the run's and stays; expected only {}, metric.NAME.KEY.{}",
                                    name_text(item.key_text()), join(keys, ", "), did_you_mean(item.key, keys)));
    }
    if (!item.value || item.is_sweep()) {
      throw usage_error(fmt::format("{} is a sweep; expected one value, such as metrics=[psnr,ssim]", name_text(word)));
    }
    const hydra::Node value = hydra::to_node(*item.value, item.mark());
    settings[item.key] = config::Params::is_path(item.key.substr(item.key.rfind('.') + 1)) ? absolute(value) : value;
  }
  for (const std::string& warning : warnings) fmt::print(stderr, "warning: {}\n", warning);
  if (!settings.contains("metrics")) throw usage_error("expected metrics=[...], what to score by");
  return settings;
}

fs::path results_of(const fs::path& run) {
  if (!fs::is_directory(run)) return run;
  if (!fs::exists(run / "results.h5") && fs::exists(run / "journal")) {
    throw input_error(
        run.string(), "was cut off and has no results.h5 yet",
        "a run that has ended, as this one would by: " + shell_line({"roundtrip", "run", "--resume", run.string()}));
  }
  return run / "results.h5";
}

int rescore_command(const Words& words) {
  const Arguments arguments(words,
                            {.synopsis = kSynopsis, .most_positions = 64, .options = {"--output"}, .help = kHelp});
  if (arguments.help_shown()) return 0;
  const fs::path results = results_of(arguments.positions().front());
  const fs::path output = arguments.path("--output").value_or(results.parent_path() / "rescored.h5");
  rescore::RescoreOptions options{.results = fs::absolute(results),
                                  .output = fs::absolute(output),
                                  .settings = read_settings(std::span(arguments.positions()).subspan(1)),
                                  .stop = [] { return run::interrupt_signal() != 0; },
                                  .provenance = {{"command_line", shell_line(words)}}};
  enter_folder_of_call(options.results.parent_path());
  run::watch_for_interrupts();
  const rescore::RescoreOutcome outcome = rescore::rescore(options);
  if (outcome.interrupted) {
    fmt::print(stderr, "interrupted: nothing was written\n");
    return 128 + run::interrupt_signal();
  }
  std::fputs(outcome.table.c_str(), stdout);
  fmt::print("\n{} of {} records scored again; results in {}\n", outcome.scored, outcome.records, output.string());
  std::fflush(stdout);
  if (outcome.not_kept > 0) {
    fmt::print(stderr,
               "note: {} records have no picture kept, so their new scores are missing; save.images=all keeps all\n",
               outcome.not_kept);
  }
  if (outcome.failed > 0) {
    fmt::print(stderr, "note: {} records failed in the run, so there is nothing to score\n", outcome.failed);
  }
  return 0;
}

const CommandRegistration registration{{.name = "rescore",
                                        .group = CommandGroup::kRuns,
                                        .synopsis = "rescore DIR metrics=[...] [-o FILE]",
                                        .summary = "compute further metrics on a run's saved images",
                                        .run = rescore_command}};

}  // namespace
}  // namespace roundtrip::app
