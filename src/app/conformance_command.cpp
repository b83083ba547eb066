// roundtrip conformance [--root DIR]: answers cases about Hydra's behaviour from stdin, one a line (hydra.md 1.16).
#include <iostream>

#include <fmt/format.h>

#include "app/commands.h"
#include "app/conformance.h"
#include "base/error.h"

namespace roundtrip::app {
namespace {

int conformance_command(const Words& words) {
  std::string root = ".";
  if (!words.empty()) {
    if (words.size() != 2 || words[0] != "--root") {
      throw Error(ErrorKind::kUsage, fmt::format("roundtrip conformance: found '{}'; expected --root DIR and the cases "
                                                 "on standard input",
                                                 words[0]));
    }
    root = words[1];
  }
  std::ios::sync_with_stdio(false);
  run_conformance(std::cin, std::cout, root);
  std::cout.flush();
  if (!std::cout) throw input_error("standard output", "cannot be written");
  return 0;
}

const CommandRegistration registration{{.name = "conformance",
                                        .group = CommandGroup::kTools,
                                        .synopsis = "conformance [--root DIR]",
                                        .summary = "answer cases about Hydra's behaviour from standard input",
                                        .run = conformance_command}};

}  // namespace
}  // namespace roundtrip::app
