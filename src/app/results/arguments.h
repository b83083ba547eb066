// Parses the words after a subcommand: positions, options with a value, switches without.
//
//   roundtrip regress RUN --baseline FILE --timing
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "app/commands.h"

namespace roundtrip::app {

struct Expected {
  std::string synopsis;  // of the subcommand, for messages and --help
  size_t least_positions = 1, most_positions = 1;
  std::vector<std::string> options = {}, switches = {};  // with their dashes; -o is short for --output
  std::string help = {};                                 // printed by --help below the synopsis
};

class Arguments {
 public:
  // Throws kUsage naming the word, with the nearest known one.
  Arguments(const Words& words, const Expected& expected);

  bool help_shown() const { return help_; }  // whether --help was given and printed
  const std::vector<std::string>& positions() const { return positions_; }
  std::optional<std::string> option(const std::string& name) const;
  std::vector<std::string> all(const std::string& name) const;  // all values of a repeated option
  std::optional<std::filesystem::path> path(const std::string& name) const;
  bool has(const std::string& name) const { return switches_.count(name) > 0; }

 private:
  bool help_ = false;
  std::vector<std::string> positions_;
  std::multimap<std::string, std::string> options_;
  std::set<std::string> switches_;
};

// Writes `text` to a file, or to the standard output if the path is `-`. Throws kInput on failure.
void write_text(const std::filesystem::path& path, std::string_view text);
void append_text(const std::filesystem::path& path, std::string_view text);

}  // namespace roundtrip::app
