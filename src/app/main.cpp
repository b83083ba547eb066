// Finds the subcommand and turns errors into one line and an exit code.
#include <algorithm>
#include <cstdio>
#include <map>

#include <fmt/format.h>

#include "app/commands.h"
#include "base/error.h"
#include "base/text.h"

namespace roundtrip::app {
namespace {

int dispatch(Words words) {
  std::map<std::string, int (*)(const Words&)> known;
  for (const Command& command : commands()) known[command.name] = command.run;
  if (words.empty()) {
    std::fputs(usage().c_str(), stdout);
    return 0;
  }
  // A word without `=` that is no flag and no deletion can only be a subcommand.
  const std::string first = words.front();
  const bool is_word = first.find('=') == std::string::npos && !first.starts_with('-') && !first.starts_with('~');
  const auto command = known.find(is_word ? first : "run");
  if (command == known.end()) {
    std::vector<std::string> names;
    for (const auto& [name, unused] : known) names.push_back(name);
    throw Error(ErrorKind::kUsage, fmt::format("roundtrip: there is no subcommand '{}'; expected one of {}.{}", first,
                                               join(names, ", "), did_you_mean(first, names)));
  }
  if (is_word) words.erase(words.begin());
  return command->second(words);
}

}  // namespace
}  // namespace roundtrip::app

int main(int count, char** arguments) {
  using roundtrip::Error;
  try {
    return roundtrip::app::dispatch({arguments + 1, arguments + count});
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return roundtrip::exit_code(error.kind());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "roundtrip: unexpected error: %s\n", error.what());
    return 1;
  }
}
