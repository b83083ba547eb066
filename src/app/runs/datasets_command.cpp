// roundtrip datasets make NAME: writes a dataset that the program can draw.

#include <algorithm>
#include <charconv>
#include <map>

#include <fmt/format.h>

#include "app/commands.h"
#include "base/error.h"
#include "base/text.h"
#include "data/scenes_writer.h"

namespace roundtrip::app {
namespace {

constexpr const char* kUsage = "roundtrip datasets make scenes [--count N] [--seed S] [--edits E] [--output DIR]";

Error usage_error(const std::string& found, const std::string& hint = {}) {
  return Error(ErrorKind::kUsage,
               fmt::format("roundtrip datasets: {}; expected: {}{}", found, kUsage, hint.empty() ? "" : "." + hint));
}

int64_t whole_number(const std::string& option, const std::string& word, int64_t least) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (error != std::errc() || end != word.data() + word.size() || number < least) {
    throw Error(ErrorKind::kUsage, fmt::format("roundtrip datasets: {} is {}; expected a whole number from {} on",
                                               option, name_text(word), least));
  }
  return number;
}

// --name VALUE or --name=VALUE.
std::map<std::string, std::string> read_options(const Words& words, const std::vector<std::string>& known) {
  std::map<std::string, std::string> options;
  for (size_t at = 0; at < words.size(); ++at) {
    const size_t equals = words[at].find('=');
    const std::string name = words[at].substr(0, equals);
    if (std::ranges::find(known, name) == known.end()) {
      throw usage_error("there is no option " + name_text(name), did_you_mean(name, known));
    }
    if (equals == std::string::npos && at + 1 == words.size()) throw usage_error(name + " has no value");
    const std::string value = equals == std::string::npos ? words[++at] : words[at].substr(equals + 1);
    if (!options.emplace(name, value).second) throw usage_error(name + " is there twice");
  }
  return options;
}

int datasets_command(const Words& words) {
  if (words.size() < 2 || words[0] != "make")
    throw usage_error(words.empty() ? "no word" : name_text(join(words, " ")));
  if (words[1] != "scenes") {
    throw usage_error(fmt::format("there is no dataset {} to make", name_text(words[1])),
                      did_you_mean(words[1], std::vector<std::string>{"scenes"}));
  }
  const auto given = read_options({words.begin() + 2, words.end()}, {"--count", "--seed", "--edits", "--output"});
  const auto number = [&](const std::string& option, int64_t fallback, int64_t least) {
    const auto found = given.find(option);
    return found == given.end() ? fallback : whole_number(option, found->second, least);
  };
  const auto output = given.find("--output");
  data::scenes::WriteOptions options{.folder = output == given.end() ? "scenes" : output->second};
  options.count = number("--count", options.count, 1);
  options.seed = number("--seed", options.seed, 0);
  options.edits = number("--edits", options.edits, 0);
  data::scenes::write_scenes(options);
  fmt::print("{} scenes in {}\n", options.count, options.folder.string());
  return 0;
}

const CommandRegistration registration{
    {.name = "datasets",
     .group = CommandGroup::kTools,
     .synopsis = "datasets make scenes ...",
     .summary = "write captioned scenes with exact edits: --count --seed --edits --output",
     .run = datasets_command}};

}  // namespace
}  // namespace roundtrip::app
