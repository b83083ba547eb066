// roundtrip score: scores pictures that any program made for the edits of a dataset.
#include <cstdio>

#include <fmt/format.h>

#include "app/commands.h"
#include "app/run_flags.h"
#include "app/runs/config_files.h"
#include "app/shell_words.h"
#include "base/error.h"
#include "base/text.h"
#include "config/launch.h"
#include "plan/schema.h"
#include "rescore/score.h"
#include "run/interrupt.h"

namespace roundtrip::app {
namespace {

constexpr const char* kSynopsis = "score DIR dataset=... [KEY=VALUE ...]";
constexpr const char* kHelp =
    R"(Scores the pictures in DIR against a dataset, into the same table as a run. A picture belongs to the edit of the
image that has its name, below DIR and without the extension (with several edits of an image: NAME-EDIT). Of panels
side by side, the right-most is scored.

  dataset=pie dataset.path=   the dataset: its images, prompts, masks
  metrics=[psnr,ssim,lpips]   what to score by
  pie.protocol=released       as PIE-Bench's released evaluation does; else proper
  task=reconstruct            compare with the image itself; else with the image's edits
  label.method=, label.KEY=   axes of the table: method, editor, steps, guidance_scale, ..., or words of your own
  hydra.run.dir=OUT           where results.h5 goes
)";

// Labels are words of the caller, which the config does not have yet; the model and the method are nobody's.
hydra::Flags flags_of(const Words& words) {
  Words all = {"model.path=none", "task=edit"};
  for (const std::string& word : words) all.push_back(word.starts_with("label.") ? "+" + word : word);
  const RunFlags flags = parse_run_flags(all);
  if (flags.resume || flags.dry_run) {
    throw Error(ErrorKind::kUsage, "roundtrip score: --resume and --dry-run belong to roundtrip run");
  }
  return flags;
}

void list_failures(const rescore::ScoreOutcome& outcome) {
  constexpr size_t kMostShown = 10;
  const size_t failed = outcome.failures.size();
  if (failed > 0) fmt::print(stderr, "{} of {} records failed:\n", failed, outcome.planned);
  for (size_t k = 0; k < std::min(failed, kMostShown); ++k) {
    const analysis::RunFailure& failure = outcome.failures[k];
    fmt::print(stderr, "  {}{}{}: {}\n", failure.sample, failure.edit.empty() ? "" : ", edit ", failure.edit,
               failure.error);
  }
  if (failed > kMostShown) fmt::print(stderr, "  and {} more: see the column error\n", failed - kMostShown);
  if (!outcome.unused.empty()) {
    const auto shown = std::min(outcome.unused.size(), kMostShown);
    fmt::print(stderr, "note: pictures that belong to no edit of the dataset ({}): {}{}\n", outcome.unused.size(),
               join(std::vector(outcome.unused.begin(), outcome.unused.begin() + static_cast<ptrdiff_t>(shown)), ", "),
               shown < outcome.unused.size() ? ", ..." : "");
  }
}

int score_command(const Words& words) {
  const auto wants_help = [](const std::string& word) { return word == "--help" || word == "-h"; };
  if (std::ranges::any_of(words, wants_help)) {
    fmt::print("usage: roundtrip {}\n\n{}", kSynopsis, kHelp);
    return 0;
  }
  if (words.empty() || words[0].starts_with('-') || words[0].find('=') != std::string::npos) {
    throw Error(ErrorKind::kUsage, "roundtrip score: expected a folder of pictures, then the dataset and its keys");
  }
  const hydra::Flags flags = flags_of({words.begin() + 1, words.end()});
  const hydra::Launch launch = config::prepare(flags, plan::schema(), hydra::search_path(flags));
  for (const std::string& warning : launch.warnings) fmt::print(stderr, "warning: {}\n", warning);
  if (launch.jobs.size() != 1) {
    throw Error(ErrorKind::kUsage,
                fmt::format("roundtrip score: found a sweep of {} settings; expected one", launch.jobs.size()));
  }
  run::watch_for_interrupts();
  const rescore::ScoreOutcome outcome = rescore::score_pictures({.pictures = words[0],
                                                                 .directory = launch.output_dir,
                                                                 .config = launch.jobs.front().config,
                                                                 .stop = [] { return run::interrupt_signal() != 0; },
                                                                 .provenance = {{"command_line", shell_line(words)}}});
  std::fputs(outcome.table.c_str(), stdout);
  fmt::print("\n{} of {} pictures scored; results in {}\n", outcome.records - std::ssize(outcome.failures),
             outcome.planned, outcome.results.string());
  std::fflush(stdout);
  list_failures(outcome);
  if (outcome.interrupted) return 128 + run::interrupt_signal();
  return outcome.failures.empty() ? 0 : 3;
}

const CommandRegistration registration{{.name = "score",
                                        .group = CommandGroup::kRuns,
                                        .synopsis = "score DIR dataset=NAME dataset.path=... [KEY=VALUE ...]",
                                        .summary = "score pictures that any program made for a dataset's edits",
                                        .run = score_command}};

}  // namespace
}  // namespace roundtrip::app
