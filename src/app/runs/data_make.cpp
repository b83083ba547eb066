// roundtrip data make: writes a dataset that the program can draw.
#include <array>
#include <charconv>
#include <cstdio>

#include <fmt/format.h>

#include "app/results/arguments.h"
#include "app/runs/data_commands.h"
#include "base/error.h"
#include "base/text.h"
#include "data/pie_like.h"
#include "data/scenes_writer.h"

namespace roundtrip::app {
namespace {

constexpr const char* kHelp =
    R"(  scenes    captioned scenes with exact edits, for dataset=folder
              --count 64, --seed 0, --edits 3 (of each scene at most), --output scenes
  pie-like  scenes in PIE-Bench's layout, for dataset=pie
              --count 70, --seed 0, --side 512 (pixels), --output pie-like
)";

int64_t whole_number(const std::string& option, const std::string& word, int64_t least, int64_t most) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (error != std::errc() || end != word.data() + word.size() || number < least || number > most) {
    throw Error(ErrorKind::kUsage, fmt::format("roundtrip data make: {} is {}; expected a whole number from {} to {}",
                                               option, name_text(word), least, most));
  }
  return number;
}

int64_t number_of(const Arguments& arguments, const std::string& option, int64_t fallback, int64_t least,
                  int64_t most = 1'000'000'000) {
  const auto word = arguments.option(option);
  return word ? whole_number(option, *word, least, most) : fallback;
}

void make_scenes(const Arguments& arguments) {
  data::scenes::WriteOptions options{.folder = arguments.path("--output").value_or("scenes")};
  options.count = number_of(arguments, "--count", options.count, 1);
  options.seed = number_of(arguments, "--seed", options.seed, 0);
  options.edits = number_of(arguments, "--edits", options.edits, 0);
  data::scenes::write_scenes(options);
  fmt::print("{} scenes in {}\n", options.count, options.folder.string());
}

void make_pie_like(const Arguments& arguments) {
  data::pie::WriteOptions options{.folder = arguments.path("--output").value_or("pie-like")};
  options.count = number_of(arguments, "--count", options.count, 1);
  options.seed = number_of(arguments, "--seed", options.seed, 0);
  options.side = static_cast<int>(number_of(arguments, "--side", options.side, data::scenes::kSide, 4096));
  data::pie::write_pie_like(options);
  fmt::print("{} edits of scenes, {} x {} pixels, in {}\n", options.count, options.side, options.side,
             options.folder.string());
}

// A dataset that can be made, and the options that it has beside --count, --seed and --output.
struct Maker {
  std::string name;
  std::vector<std::string> options;
  void (*make)(const Arguments& arguments);
};

const std::array<Maker, 2>& makers() {
  static const std::array<Maker, 2> all = {
      {{"scenes", {"--edits"}, make_scenes}, {"pie-like", {"--side"}, make_pie_like}}};
  return all;
}

}  // namespace

int data_make(const Words& words) {
  std::vector<std::string> names;
  Expected expected{.synopsis = kDataMakeUsage, .options = {"--count", "--seed", "--output"}, .help = kHelp};
  for (const Maker& maker : makers()) {
    names.push_back(maker.name);
    if (!words.empty() && words[0] != maker.name) continue;
    expected.options.insert(expected.options.end(), maker.options.begin(), maker.options.end());
  }
  const Arguments arguments(words, expected);
  if (arguments.help_shown()) return 0;
  const std::string& name = arguments.positions().front();
  for (const Maker& maker : makers()) {
    if (maker.name != name) continue;
    maker.make(arguments);
    return 0;
  }
  throw Error(ErrorKind::kUsage, fmt::format("roundtrip data make: there is no dataset {} to make; expected {}.{}",
                                             name_text(name), join(names, " or "), did_you_mean(name, names)));
}

}  // namespace roundtrip::app
