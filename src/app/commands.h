// The subcommands: each registers itself from its own file. Those that need LibTorch are in `app/runs`, which only
// the program `roundtrip-networks` contains; `roundtrip` knows them from its description and starts that program.
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
  // Takes the words after the name and returns the exit code; errors leave as roundtrip::Error. Null: it is in the
  // other program.
  int (*run)(const Words& words) = nullptr;
};

struct CommandRegistration {
  explicit CommandRegistration(Command command);
};

// By group, then by name: those of this program; those of both.
std::vector<Command> registered_commands();
std::vector<Command> commands();

// What the program is and how it is called.
std::string usage();

}  // namespace roundtrip::app
