// roundtrip data: checks a dataset before a run, and makes one. `roundtrip datasets make` is the latter's older name.
#include <fmt/format.h>

#include "app/commands.h"
#include "app/runs/data_commands.h"
#include "base/error.h"
#include "base/text.h"

namespace roundtrip::app {
namespace {

Error usage_error(const Words& words, const std::vector<std::string>& known) {
  const std::string found = words.empty() ? "no word" : name_text(words.front());
  return Error(ErrorKind::kUsage, fmt::format("roundtrip data: {}; expected {}.{}", found, join(known, " or "),
                                              words.empty() ? "" : did_you_mean(words.front(), known)));
}

int data_command(const Words& words) {
  if (!words.empty() && (words[0] == "--help" || words[0] == "-h")) {
    fmt::print("usage: roundtrip {}\n       roundtrip {}\n\nEach has --help.\n", kDataCheckUsage, kDataMakeUsage);
    return 0;
  }
  if (words.empty() || (words[0] != "check" && words[0] != "make")) throw usage_error(words, {"check", "make"});
  const Words rest(words.begin() + 1, words.end());
  return words[0] == "check" ? data_check(rest) : data_make(rest);
}

int datasets_command(const Words& words) {
  if (words.empty() || words[0] != "make") throw usage_error(words, {"make"});
  return data_make({words.begin() + 1, words.end()});
}

const CommandRegistration data{{.name = "data",
                                .group = CommandGroup::kTools,
                                .synopsis = "data check|make ...",
                                .summary = "check a dataset before a run; make scenes, or scenes in PIE-Bench's layout",
                                .run = data_command}};
const CommandRegistration datasets{{.name = "datasets",
                                    .group = CommandGroup::kTools,
                                    .synopsis = "datasets make ...",
                                    .summary = "the same as data make",
                                    .run = datasets_command}};

}  // namespace
}  // namespace roundtrip::app
