// The subcommands. Each takes the words after its name and returns the exit code; errors leave as roundtrip::Error.
#pragma once

#include <string>
#include <vector>

namespace roundtrip::app {

using Words = std::vector<std::string>;

int run_command(const Words& words);
int plan_command(const Words& words);
int list_command(const Words& words);

// What the program is and how it is called.
std::string usage();

}  // namespace roundtrip::app
