#include "app/commands.h"

#include <algorithm>
#include <tuple>

#include "app/description.h"

namespace roundtrip::app {
namespace {

std::vector<Command>& registered() {
  static std::vector<Command> all;
  return all;
}

std::vector<Command> sorted(std::vector<Command> commands) {
  std::ranges::sort(commands, {}, [](const Command& command) { return std::tie(command.group, command.name); });
  return commands;
}

}  // namespace

CommandRegistration::CommandRegistration(Command command) { registered().push_back(std::move(command)); }

std::vector<Command> registered_commands() { return sorted(registered()); }

std::vector<Command> commands() {
  std::vector<Command> all = registered();
  for (const Command& described : description().commands) {
    if (std::ranges::find(registered(), described.name, &Command::name) == registered().end()) all.push_back(described);
  }
  return sorted(std::move(all));
}

}  // namespace roundtrip::app
