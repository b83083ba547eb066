// Every recorded case of Hydra 1.3.8 and OmegaConf 2.3.1 against ours, by the rules of hydra.md 1.16. Where we differ
// on purpose, tests/parity/deviations.yaml says so; a deviation that no longer differs, or matches no case, fails.
#include "app/conformance.h"

#include <fstream>
#include <map>
#include <regex>
#include <sstream>

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/file.h"
#include "hydra/tree/yaml.h"

namespace roundtrip::app {
namespace {

using hydra::Node;
using hydra::parse_yaml;
using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

const fs::path kCases = fs::path(ROUNDTRIP_SOURCE_DIR) / "tests/golden/hydra_cases";

// Our class for the name of a Python exception.
std::string class_of(const std::string& exception) {
  static const std::map<std::string, std::string> kClasses = {
      {"HydraException", "parse"},
      {"ScannerError", "parse"},
      {"ParserError", "parse"},
      {"ComposerError", "parse"},
      {"ConstructorError", "parse"},
      {"ConfigCompositionException", "compose"},
      {"MissingConfigException", "missing"},
      {"InterpolationToMissingValueError", "missing"},
      {"MissingMandatoryValue", "missing"},
      {"InterpolationKeyError", "interpolation"},
      {"InterpolationResolutionError", "interpolation"},
      {"UnsupportedInterpolationType", "interpolation"},
      {"GrammarParseError", "interpolation"},
      {"ValidationError", "type"},
      {"ConfigTypeError", "type"},
      {"ConfigKeyError", "type"},
      {"ConfigAttributeError", "type"},
  };
  const auto found = kClasses.find(exception);
  return found == kClasses.end() ? exception : found->second;
}

std::map<std::string, std::string> as_set(const Json& choices) {
  std::map<std::string, std::string> set;
  for (const auto& [key, option] : choices.items()) set[key] = option.dump();
  return set;
}

// Empty where the two answers agree, else what differs.
std::string difference(const Json& expected, const Json& ours) {
  if (expected.contains("error") != ours.contains("error")) {
    return expected.contains("error") ? "expected an error, got a value"
                                      : "got an error: " + ours["msg"].get<std::string>();
  }
  if (expected.contains("error")) {
    const std::string theirs = class_of(expected["error"]);
    return theirs == ours["error"] ? "" : "expected the class " + theirs;
  }
  const Json &a = expected["ok"], &b = ours["ok"];
  if (expected["kind"] != "compose") return a == b ? "" : "values differ";
  if (a["defaults"] != b["defaults"]) return "defaults differ";
  if (as_set(a["choices"]) != as_set(b["choices"])) return "choices differ";
  const bool same =
      parse_yaml(a["job"].get<std::string>(), "theirs") == parse_yaml(b["job"].get<std::string>(), "ours");
  return same ? "" : "jobs differ";
}

// One row of tests/parity/deviations.yaml.
struct Deviation {
  std::string id, kind;
  Json input;           // exact ...
  std::string pattern;  // ... or a regular expression over the input as JSON
  Json ours;
  bool live = false;  // has an example that tests/parity/hydra_differential_test.py asks Hydra about
  int used = 0;

  bool matches(const Json& one) const {
    if (one["kind"] != kind) return false;
    return pattern.empty() ? one["input"] == input : std::regex_search(one["input"].dump(), std::regex(pattern));
  }
};

std::vector<Deviation> read_deviations() {
  const fs::path file = fs::path(ROUNDTRIP_SOURCE_DIR) / "tests/parity/deviations.yaml";
  const Node root = parse_yaml(read_file(file), "deviations.yaml");
  std::vector<Deviation> deviations;
  for (const Node& row : root.list()) {
    Deviation deviation;
    deviation.id = row.find("id")->as_string();
    deviation.kind = row.find("match.kind")->as_string();
    if (const Node* input = row.find("match.input")) deviation.input = to_json(*input);
    if (const Node* pattern = row.find("match.regex")) deviation.pattern = pattern->as_string();
    deviation.ours = to_json(*row.find("ours"));
    deviation.live = row.find("match.example") != nullptr;
    deviations.push_back(std::move(deviation));
  }
  return deviations;
}

// `ours` of a deviation holds what it wants to hold: {"error": CLASS}, or the members of "ok" that matter.
bool agrees(const Json& wanted, const Json& ours) {
  if (wanted.contains("error")) return ours.contains("error") && ours["error"] == wanted["error"];
  if (!ours.contains("ok")) return false;
  if (!wanted["ok"].is_object() || !ours["ok"].is_object()) return wanted["ok"] == ours["ok"];
  for (const auto& [key, value] : wanted["ok"].items()) {
    if (!ours["ok"].contains(key) || ours["ok"][key] != value) return false;
  }
  return true;
}

TEST(Conformance, EveryRecordedCaseGivesHydrasAnswerOrANamedDeviation) {
  ASSERT_TRUE(fs::is_directory(kCases)) << kCases;
  std::vector<Deviation> deviations = read_deviations();
  std::map<std::string, std::pair<int, int>> counts;  // file -> passed, all
  for (const char* name : {"own_grammar_probe", "rules", "fuzz_parse", "interpolation", "yaml_scalars", "compose"}) {
    std::ifstream cases(kCases / (std::string(name) + ".jsonl"));
    ASSERT_TRUE(cases) << name;
    Conformance conformance(kCases);
    std::string line;
    while (std::getline(cases, line)) {
      const Json expected = Json::parse(line);
      const Json ours = conformance.answer(expected);
      if (expected["kind"] == "base") continue;
      auto& [passed, all] = counts[name];
      ++all;
      const std::string differs = difference(expected, ours);
      Deviation* deviation = nullptr;
      for (Deviation& candidate : deviations) {
        if (deviation == nullptr && candidate.matches(expected)) deviation = &candidate;
      }
      if (deviation != nullptr) {
        ++deviation->used;
        EXPECT_NE(differs, "") << deviation->id << " no longer differs: " << expected["input"].dump();
        EXPECT_TRUE(agrees(deviation->ours, ours)) << deviation->id << ": " << ours.dump();
        ++passed;
        continue;
      }
      EXPECT_EQ(differs, "") << "theirs " << line << "\nours   "
                             << ours.dump(-1, ' ', false, Json::error_handler_t::replace);
      passed += differs.empty() ? 1 : 0;
    }
  }
  for (const Deviation& deviation : deviations) {
    EXPECT_TRUE(deviation.used > 0 || deviation.live) << deviation.id << " matches no case";
  }
  for (const auto& [name, count] : counts) {
    std::printf("  %-18s %d of %d\n", name.c_str(), count.first, count.second);
    EXPECT_GT(count.second, 50) << name;
  }
}

TEST(Conformance, AnswersLineByLineAndSurvivesCasesThatAreNone) {
  std::istringstream cases(
      "{\"kind\":\"yaml\",\"input\":\"017\"}\n\n{\"kind\":\"zzz\",\"input\":1}\n[]\n{\"kind\":\"parse\"}\n");
  std::ostringstream answers;
  run_conformance(cases, answers, ".");
  EXPECT_EQ(answers.str().substr(0, answers.str().find('\n')), R"({"kind":"yaml","input":"017","ok":{"$int":"15"}})");
  const std::string text = answers.str();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 4);
}

TEST(Conformance, ALineThatIsNotJsonIsNamed) {
  std::istringstream cases("{\"kind\":\"yaml\",\"input\":\"1\"}\nnot json\n");
  std::ostringstream answers;
  try {
    run_conformance(cases, answers, ".");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(error.message().find("line 2"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace roundtrip::app
