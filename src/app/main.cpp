// Finds the subcommand, and turns errors into one line and an exit code. Shared by both programs: `roundtrip`, which
// starts without LibTorch, and `roundtrip-networks`, which has the subcommands that need it.
#include <algorithm>
#include <cstdio>
#include <optional>

#include <fmt/format.h>

#include "app/commands.h"
#include "app/hand_over.h"
#include "app/run_flags.h"
#include "app/show_config.h"
#include "base/error.h"
#include "base/text.h"

namespace roundtrip::app {
namespace {

// Runs a subcommand of the other program. Flags that print instead of running (--help, --cfg) need no network; those of
// a run to resume are in its directory.
int elsewhere(const std::string& name, const Words& words, char** arguments) {
  if (name == "run") {
    const RunFlags flags = parse_run_flags(words);
    if (const auto text = flags.resume ? std::nullopt : shown_config(flags)) {
      std::fputs(text->c_str(), stdout);
      return 0;
    }
  }
  hand_over(arguments);
}

bool asks_for_help(const Words& words) {
  return std::ranges::any_of(words, [](const std::string& word) { return word == "--help" || word == "-h"; });
}

int dispatch(Words words, char** arguments) {
  if (words.empty()) {
    std::fputs(usage().c_str(), stdout);
    return 0;
  }
  // A first word that is neither override, flag nor `~` deletion must be a subcommand.
  const std::string first = words.front();
  const bool is_word = first.find('=') == std::string::npos && !first.starts_with('-') && !first.starts_with('~');
  const std::string name = is_word ? first : "run";
  if (is_word) words.erase(words.begin());
  std::vector<std::string> known;
  for (const Command& command : commands()) {
    known.push_back(command.name);
    // `run` shows the config, as Hydra does; rescore and the commands on results list their options themselves.
    const bool has_own_help = name == "run" || name == "rescore" || name == "score" || name == "data" ||
                              command.group == CommandGroup::kResults;
    if (command.name != name || has_own_help) continue;
    if (!asks_for_help(words)) continue;
    fmt::print("usage: roundtrip {}\n\n{}\n", command.synopsis, command.summary);
    return 0;
  }
  for (const Command& command : registered_commands()) {
    if (command.name == name) return command.run(words);
  }
  if (name == "run" || std::ranges::find(known, name) != known.end()) return elsewhere(name, words, arguments);
  throw Error(ErrorKind::kUsage, fmt::format("roundtrip: there is no subcommand '{}'; expected one of {}.{}", first,
                                             join(known, ", "), did_you_mean(first, known)));
}

}  // namespace
}  // namespace roundtrip::app

int main(int count, char** arguments) {
  using roundtrip::Error;
  try {
    return roundtrip::app::dispatch({arguments + 1, arguments + count}, arguments);
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return roundtrip::exit_code(error.kind());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "roundtrip: unexpected error: %s\n", error.what());
    return 1;
  }
}
