// roundtrip check: checks a run against the `expect:` claims of its experiment.
#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analysis/claims/claim_check.h"
#include "analysis/claims/expectations.h"
#include "app/commands.h"
#include "app/results/arguments.h"
#include "base/text.h"

namespace roundtrip::app {
namespace {

using analysis::ClaimCheck;
using analysis::Verdict;

std::vector<analysis::Claim> claims_for(const Arguments& arguments, const analysis::Results& results) {
  if (const auto file = arguments.path("--expect")) return analysis::claims_of_file(*file);
  if (const auto name = arguments.option("--experiment")) return analysis::claims_of_experiment(*name);
  return analysis::claims_of_run(results);
}

void print(const ClaimCheck& check) {
  fmt::print("{:<10} {}\n", analysis::verdict_text(check.verdict), check.claim.text);
  if (!check.claim.says.empty()) {
    fmt::print("{:<10} {}{}\n", "", check.claim.says,
               check.claim.source.empty() ? "" : fmt::format(" ({})", check.claim.source));
  }
  if (!check.why.empty()) fmt::print("{:<10} {}\n", "", check.why);
  for (const analysis::RelationCheck& relation : check.relations) {
    fmt::print("{:<10} - {:<9} {}\n", "", analysis::verdict_text(relation.verdict), analysis::one_line(relation));
  }
}

std::string json_of(const std::vector<ClaimCheck>& checks) {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const ClaimCheck& check : checks) {
    nlohmann::ordered_json entry = {{"claim", check.claim.text},
                                    {"says", check.claim.says},
                                    {"source", check.claim.source},
                                    {"verdict", analysis::verdict_text(check.verdict)},
                                    {"why", check.why}};
    entry["cases"] = nlohmann::ordered_json::array();
    for (const analysis::RelationCheck& relation : check.relations) {
      entry["cases"].push_back({{"setting", relation.setting},
                                {"verdict", analysis::verdict_text(relation.verdict)},
                                {"left", relation.left},
                                {"right", relation.right},
                                {"low", relation.difference.low},
                                {"high", relation.difference.high},
                                {"p", relation.p},
                                {"images", relation.images},
                                {"left_out", relation.left_out}});
    }
    all.push_back(std::move(entry));
  }
  return all.dump(2) + "\n";
}

int check_command(const Words& words) {
  const Arguments arguments(
      words,
      {.synopsis = "check RUN [--expect FILE | --experiment NAME] [--json FILE]",
       .options = {"--expect", "--experiment", "--json"},
       .help = "Holds a run against claims: those of the config that it was made with, of a YAML file with a list "
               "`expect:`,\nor of a built-in experiment. docs/claims.md has the language.\n"
               "Exit codes: 0 all hold, 4 one fails, 5 none fails but one is undecided, or there are none.\n"});
  if (arguments.help_shown()) return 0;
  const analysis::Results results(arguments.positions().front());
  std::vector<ClaimCheck> checks;
  for (const analysis::Claim& claim : claims_for(arguments, results)) {
    checks.push_back(analysis::check_claim(claim, results));
    print(checks.back());
  }
  const auto count = [&](Verdict verdict) { return std::ranges::count(checks, verdict, &ClaimCheck::verdict); };
  fmt::print("{} hold, {} fail, {} undecided\n", count(Verdict::kHolds), count(Verdict::kFails),
             count(Verdict::kUndecided));
  if (checks.empty()) fmt::print("there is no claim to check; give some with --expect or --experiment\n");
  if (const auto file = arguments.path("--json")) write_text(*file, json_of(checks));
  if (count(Verdict::kFails) > 0) return 4;
  return checks.empty() || count(Verdict::kUndecided) > 0 ? 5 : 0;
}

const CommandRegistration registration{{.name = "check",
                                        .group = CommandGroup::kResults,
                                        .synopsis = "check RUN",
                                        .summary = "holds a run against the claims of its experiment",
                                        .run = check_command}};

}  // namespace
}  // namespace roundtrip::app
