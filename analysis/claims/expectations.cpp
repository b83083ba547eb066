#include "analysis/claims/expectations.h"

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "hydra/compose/embedded.h"
#include "hydra/tree/yaml.h"

namespace roundtrip::analysis {
namespace {

std::string text_at(const hydra::Node& entry, const char* key) {
  const hydra::Node* value = entry.find(key);
  return value == nullptr || value->is_null() ? "" : value->as_string();
}

std::string place_of(const hydra::Node& node, const std::string& where, size_t number) {
  return node.mark().known() && node.mark().line > 0 ? node.mark().text()
                                                     : fmt::format("{}: expect[{}]", where, number);
}

}  // namespace

std::vector<Claim> claims_in(const hydra::Node& config, const std::string& where) {
  const hydra::Node* expect = config.is_dict() ? config.find("expect") : nullptr;
  if (expect == nullptr || expect->is_null()) return {};
  if (!expect->is_list()) throw Error(ErrorKind::kType, fmt::format("{}: expect; expected a list of claims", where));
  std::vector<Claim> claims;
  for (const hydra::Node& entry : expect->list()) {
    const std::string place = place_of(entry, where, claims.size());
    if (entry.is_string()) {
      claims.push_back(parse_claim(entry.as_string(), place));
      continue;
    }
    if (!entry.is_dict())
      throw Error(ErrorKind::kType, fmt::format("{}: expected a claim or claim, says, source", place));
    for (const std::string& key : entry.dict().keys()) {
      const std::vector<std::string> known = {"claim", "says", "source"};
      if (std::ranges::find(known, key) != known.end()) continue;
      throw Error(ErrorKind::kType, fmt::format("{}: '{}'; expected one of claim, says, source.{}", place, key,
                                                did_you_mean(key, known)));
    }
    Claim claim = parse_claim(text_at(entry, "claim"), place);
    claim.says = text_at(entry, "says");
    claim.source = text_at(entry, "source");
    claims.push_back(std::move(claim));
  }
  return claims;
}

std::vector<Claim> claims_of_file(const std::filesystem::path& file) {
  return claims_in(hydra::parse_yaml(read_file(file), file.string()), file.string());
}

std::vector<Claim> claims_of_run(const Results& results) {
  const std::vector<std::string> configs = results.reader().trial_configs();
  if (configs.empty()) return {};
  const std::string where = results.reader().path().string() + ":/trials/config_yaml[0]";
  return claims_in(hydra::parse_yaml(configs.front(), where), where);
}

std::vector<Claim> claims_of_experiment(const std::string& name) {
  std::vector<std::string> names;
  for (const hydra::EmbeddedConfig& config : hydra::embedded_configs()) {
    constexpr std::string_view kGroup = "experiment/";
    if (!config.path.starts_with(kGroup)) continue;
    const std::string where(config.path);
    names.emplace_back(config.path.substr(kGroup.size()));
    if (names.back() == name) return claims_in(hydra::parse_yaml(config.text, where), where);
  }
  throw Error(ErrorKind::kMissing, fmt::format("no experiment '{}'; expected one of {}.{}", name, join(names, ", "),
                                               did_you_mean(name, names)));
}

}  // namespace roundtrip::analysis
