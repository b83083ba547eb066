// Subcommands: each registers itself in its own file. Those that need LibTorch are in `app/runs`, which only the
// program `roundtrip-networks` contains. `roundtrip` lists them from its description and starts that program.
//
//   const CommandRegistration registration{{.name = "check", .group = CommandGroup::kResults, .synopsis = "check RUN",
//                                           .summary = "holds a run against its claims", .run = check_command}};
#pragma once

#include <string>
#include <vector>

namespace roundtrip::app {

using Words = std::vector<std::string>;

enum class CommandGroup { kRuns, kResults, kTools };  // in the order of the help

struct Command {
  std::string name;
  CommandGroup group = CommandGroup::kTools;
  std::string synopsis;  // what to type after `roundtrip`
  std::string summary;   // one line
  // Takes the words after the name and returns the exit code. Throws roundtrip::Error. Null if the command is in the
  // other program.
  int (*run)(const Words& words) = nullptr;
};

struct CommandRegistration {
  explicit CommandRegistration(Command command);
};

// Commands of this program, and of both programs, sorted by group and name.
std::vector<Command> registered_commands();
std::vector<Command> commands();

// Returns the help text: purpose and usage of the program.
std::string usage();

}  // namespace roundtrip::app
