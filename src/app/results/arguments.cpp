#include "app/results/arguments.h"

#include <algorithm>
#include <cstdio>
#include <fstream>

#include "base/error.h"
#include "base/text.h"

namespace roundtrip::app {
namespace {

void write(const std::filesystem::path& path, std::string_view text, std::ios::openmode mode) {
  if (path == "-") {
    std::fwrite(text.data(), 1, text.size(), stdout);
    return;
  }
  std::error_code ignored;
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), ignored);
  std::ofstream file(path, std::ios::binary | mode);
  file << text;
  file.close();
  if (!file) throw input_error(path.string(), "cannot be written");
}

}  // namespace

Arguments::Arguments(const Words& words, const Expected& expected) {
  const auto known = [](const std::vector<std::string>& names, const std::string& name) {
    return std::ranges::find(names, name) != names.end();
  };
  for (size_t k = 0; k < words.size(); ++k) {
    std::string name = words[k] == "-o" ? "--output" : words[k];
    if (name == "--help" || name == "-h") {
      fmt::print("usage: roundtrip {}\n{}", expected.synopsis, expected.help.empty() ? "" : "\n" + expected.help);
      help_ = true;
      return;
    }
    if (!name.starts_with("--")) {
      positions_.push_back(name);
      continue;
    }
    std::optional<std::string> value;
    if (const size_t equals = name.find('='); equals != std::string::npos) {
      value = name.substr(equals + 1);
      name.resize(equals);
    }
    if (!value && known(expected.switches, name)) {
      switches_.insert(name);
    } else if (known(expected.options, name)) {
      if (!value && k + 1 == words.size()) {
        throw Error(ErrorKind::kUsage, fmt::format("{}: expected a value after it", name));
      }
      options_.emplace(name, value ? *value : words[++k]);
    } else {
      std::vector<std::string> all = expected.options;
      all.insert(all.end(), expected.switches.begin(), expected.switches.end());
      throw Error(ErrorKind::kUsage, fmt::format("unknown option '{}' for `roundtrip {}`.{}", name, expected.synopsis,
                                                 did_you_mean(name, all)));
    }
  }
  if (positions_.size() < expected.least_positions || positions_.size() > expected.most_positions) {
    throw Error(ErrorKind::kUsage,
                fmt::format("found {} words; expected: roundtrip {}", positions_.size(), expected.synopsis));
  }
}

std::optional<std::string> Arguments::option(const std::string& name) const {
  const auto found = options_.find(name);
  return found == options_.end() ? std::nullopt : std::optional(found->second);
}

std::vector<std::string> Arguments::all(const std::string& name) const {
  std::vector<std::string> values;
  for (auto [each, end] = options_.equal_range(name); each != end; ++each) values.push_back(each->second);
  return values;
}

std::optional<std::filesystem::path> Arguments::path(const std::string& name) const {
  const auto text = option(name);
  return text ? std::optional<std::filesystem::path>(*text) : std::nullopt;
}

void write_text(const std::filesystem::path& path, std::string_view text) { write(path, text, std::ios::trunc); }
void append_text(const std::filesystem::path& path, std::string_view text) { write(path, text, std::ios::app); }

}  // namespace roundtrip::app
