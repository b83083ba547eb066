#include "hydra/launch/flags.h"

#include <algorithm>
#include <functional>

#include "base/error.h"
#include "base/text.h"

namespace roundtrip::hydra {
namespace {

struct Flag {
  std::vector<std::string> names;
  Takes takes;
  std::vector<std::string> choices;  // allowed words; empty for any
  std::function<void(Flags&, const std::string&)> set;
};

const std::vector<Flag>& known_flags() {
  static const std::vector<Flag> kFlags = {
      {{"-m", "--multirun"}, Takes::kNothing, {}, [](Flags& f, const std::string&) { f.multirun = true; }},
      {{"-r", "--run"}, Takes::kNothing, {}, [](Flags& f, const std::string&) { f.run = true; }},
      {{"-c", "--cfg"}, Takes::kWord, {"job", "hydra", "all"}, [](Flags& f, const std::string& w) { f.cfg = w; }},
      {{"-p", "--package"}, Takes::kWord, {}, [](Flags& f, const std::string& w) { f.package = w; }},
      {{"--format"}, Takes::kWord, {"yaml", "json"}, [](Flags& f, const std::string& w) { f.format = w; }},
      {{"--resolve"}, Takes::kNothing, {}, [](Flags& f, const std::string&) { f.resolve = true; }},
      {{"-i", "--info"},
       Takes::kOptionalWord,
       {"all", "config", "defaults", "defaults-tree", "plugins", "searchpath"},
       [](Flags& f, const std::string& w) { f.info = w.empty() ? "all" : w; }},
      {{"-cp", "--config-path"}, Takes::kWord, {}, [](Flags& f, const std::string& w) { f.config_path = w; }},
      {{"-cn", "--config-name"}, Takes::kWord, {}, [](Flags& f, const std::string& w) { f.config_name = w; }},
      {{"-cd", "--config-dir"}, Takes::kWord, {}, [](Flags& f, const std::string& w) { f.config_dir = w; }},
      {{"-h", "--help"}, Takes::kNothing, {}, [](Flags& f, const std::string&) { f.help = true; }},
      {{"--hydra-help"}, Takes::kNothing, {}, [](Flags& f, const std::string&) { f.hydra_help = true; }},
      {{"--version"}, Takes::kNothing, {}, [](Flags& f, const std::string&) { f.version = true; }},
      {{"-sc", "--shell-completion"},
       Takes::kNothing,
       {},
       [](Flags& f, const std::string&) { f.shell_completion = ""; }},
  };
  return kFlags;
}

// Hydra's flags and the program's.
std::vector<Flag> all_flags(const std::vector<ExtraFlag>& extra) {
  std::vector<Flag> flags = known_flags();
  for (const ExtraFlag& flag : extra) {
    const auto keep = [name = flag.name](Flags& f, const std::string& word) { f.extra.emplace_back(name, word); };
    flags.push_back({{flag.name}, flag.takes, {}, keep});
  }
  return flags;
}

// Python's argparse accepts underscores in place of dashes.
std::string with_dashes(std::string name) {
  if (name.starts_with("--")) std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

const Flag& find_flag(const std::vector<Flag>& flags, const std::string& name) {
  std::vector<std::string> names;
  for (const Flag& flag : flags) {
    for (const std::string& known : flag.names) {
      if (known == with_dashes(name)) return flag;
      names.push_back(known);
    }
  }
  if (name == "--experimental-rerun") {
    throw Error(ErrorKind::kUsage, "--experimental-rerun is not supported; use: roundtrip rerun RUN_DIR");
  }
  throw Error(ErrorKind::kUsage, fmt::format("unknown flag {}.{}", name_text(name), did_you_mean(name, names)));
}

void check_modes(const Flags& flags) {
  const std::string one = "Only one of --run, --multirun, --cfg, --info and --shell_completion can be specified";
  // Not in Hydra: -m with --cfg prints the config of every job.
  const int modes = (flags.run ? 1 : 0) + (flags.multirun && !flags.cfg ? 1 : 0) + (flags.cfg ? 1 : 0) +
                    (flags.info ? 1 : 0) + (flags.shell_completion ? 1 : 0);
  if (modes > 1 || (flags.run && flags.multirun)) throw Error(ErrorKind::kUsage, one);
  if (flags.resolve && !flags.cfg && !flags.help) {
    throw Error(ErrorKind::kUsage, "the --resolve flag can only be used in conjunction with --cfg or --help");
  }
  if (flags.format && !flags.cfg) throw Error(ErrorKind::kUsage, "--format is for --cfg: --cfg job --format json");
  if (flags.package && !flags.cfg) throw Error(ErrorKind::kUsage, "--package is for --cfg: --cfg job --package method");
}

}  // namespace

Flags parse_flags(const std::vector<std::string>& args, const std::vector<ExtraFlag>& extra) {
  const std::vector<Flag> known = all_flags(extra);
  Flags flags;
  for (size_t k = 0; k < args.size(); ++k) {
    const std::string& word = args[k];
    if (!word.starts_with('-') || word == "-") {
      flags.overrides.push_back(word);
      continue;
    }
    // --flag=word is one argument.
    const size_t equal = word.starts_with("--") ? word.find('=') : std::string::npos;
    const std::string name = word.substr(0, equal);
    const Flag& flag = find_flag(known, name);
    std::string value;
    bool given = equal != std::string::npos;
    if (given) {
      value = word.substr(equal + 1);
      if (flag.takes == Takes::kNothing)
        throw Error(ErrorKind::kUsage, fmt::format("{} takes no value; found '{}'", name, value));
    } else if (flag.takes != Takes::kNothing && k + 1 < args.size()) {
      const std::string& next = args[k + 1];
      // After a flag with an optional word, a word that can be an override is one.
      const bool may_be_override = next.find('=') != std::string::npos || next.starts_with('~');
      const bool usable = !next.starts_with('-') && (flag.takes == Takes::kWord || !may_be_override);
      if (usable) {
        value = next;
        given = true;
        ++k;
      }
    }
    if (flag.takes == Takes::kWord && !given) {
      throw Error(ErrorKind::kUsage, fmt::format("argument {}: expected one argument{}", join(flag.names, "/"),
                                                 flag.choices.empty() ? "" : ": one of " + join(flag.choices, ", ")));
    }
    if (given && !flag.choices.empty() &&
        std::find(flag.choices.begin(), flag.choices.end(), value) == flag.choices.end()) {
      throw Error(ErrorKind::kUsage,
                  fmt::format("argument {}: invalid choice: '{}' (choose from {}).{}", join(flag.names, "/"), value,
                              join(flag.choices, ", "), did_you_mean(value, flag.choices)));
    }
    flag.set(flags, value);
  }
  if (flags.shell_completion) {
    // install=bash and the like parse as overrides but belong to the flag.
    std::string words;
    for (const std::string& word : flags.overrides) words += (words.empty() ? "" : " ") + word;
    flags.shell_completion = words;
    flags.overrides.clear();
  }
  check_modes(flags);
  return flags;
}

std::vector<std::string> flag_names(const std::vector<ExtraFlag>& extra) {
  std::vector<std::string> names;
  for (const Flag& flag : all_flags(extra)) names.insert(names.end(), flag.names.begin(), flag.names.end());
  return names;
}

namespace {

const Flag* known_flag(const std::string& name) {
  for (const Flag& flag : known_flags()) {
    if (std::find(flag.names.begin(), flag.names.end(), with_dashes(name)) != flag.names.end()) return &flag;
  }
  return nullptr;
}

}  // namespace

std::vector<std::string> flag_choices(const std::string& name) {
  const Flag* flag = known_flag(name);
  return flag == nullptr ? std::vector<std::string>{} : flag->choices;
}

bool flag_takes_folder(const std::string& name, const std::vector<ExtraFlag>& extra) {
  const std::string dashed = with_dashes(name);
  if (name == "-cp" || name == "-cd" || dashed == "--config-path" || dashed == "--config-dir") return true;
  return std::ranges::any_of(extra, [&](const ExtraFlag& flag) { return flag.is_folder && flag.name == dashed; });
}

}  // namespace roundtrip::hydra
