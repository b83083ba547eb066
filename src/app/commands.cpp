#include "app/commands.h"

#include <algorithm>
#include <tuple>

namespace roundtrip::app {
namespace {

std::vector<Command>& registered() {
  static std::vector<Command> all;
  return all;
}

}  // namespace

CommandRegistration::CommandRegistration(Command command) { registered().push_back(std::move(command)); }

std::vector<Command> commands() {
  std::vector<Command> sorted = registered();
  std::ranges::sort(sorted, {}, [](const Command& command) { return std::tie(command.group, command.name); });
  return sorted;
}

}  // namespace roundtrip::app
