#include "app/description.h"

#include <cstdio>

#include <nlohmann/json.hpp>

#include "base/error.h"

namespace roundtrip::hydra {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(KeyInfo, path, type, unit, doc, words, is_path)

}  // namespace roundtrip::hydra

namespace roundtrip::app {

NLOHMANN_JSON_SERIALIZE_ENUM(CommandGroup, {{CommandGroup::kRuns, "runs"},
                                            {CommandGroup::kResults, "results"},
                                            {CommandGroup::kTools, "tools"}})
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Command, name, group, synopsis, summary)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(PluginDescription, name, summary, source, parameters)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(MetricDescription, name, summary)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Description, version, commands, keys, methods, editors, metrics,
                                                datasets)

namespace {

using TextProvider = std::string (*)();

TextProvider& provider() {
  static TextProvider registered = nullptr;
  return registered;
}

std::string description_text() {
  if (provider() == nullptr) throw Error(ErrorKind::kInternal, "this program registered no description; expected one");
  return provider()();
}

}  // namespace

DescriptionRegistration::DescriptionRegistration(std::string (*text)()) {
  if (provider() != nullptr) throw Error(ErrorKind::kInternal, "two descriptions are registered; expected one");
  provider() = text;
}

const Description& description() {
  static const Description read = nlohmann::json::parse(description_text()).get<Description>();
  return read;
}

std::string description_json(const Description& description) { return nlohmann::json(description).dump(1) + "\n"; }

namespace {

int describe_command(const Words& words) {
  if (!words.empty()) throw Error(ErrorKind::kUsage, "roundtrip describe: expected no words");
  std::fputs(description_text().c_str(), stdout);
  return 0;
}

const CommandRegistration registration{{.name = "describe",
                                        .group = CommandGroup::kTools,
                                        .synopsis = "describe",
                                        .summary = "print every key, method, editor, metric and dataset, as JSON",
                                        .run = describe_command}};

}  // namespace

}  // namespace roundtrip::app
