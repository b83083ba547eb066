// The report of `data check` as a table for readers and as JSON.
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "data/check.h"

namespace roundtrip::data {
namespace {

constexpr size_t kMaxPlaces = 3;  // that the table shows of a finding; JSON has all

const char* protocol_name(Protocol protocol) { return protocol == Protocol::kProper ? "proper" : "released"; }
const char* level_name(Level level) { return level == Level::kFault ? "fault" : "note"; }

std::string count_of(size_t count, const char* noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

// "12 edits" or "3 images": a place without an edit of its own is an image. A finding may be at one edit twice.
std::string size_of(const Finding& finding, bool of_images) {
  std::set<std::pair<std::string, std::string>> distinct;
  for (const Finding::Place& place : finding.places) distinct.emplace(place.id, place.edit);
  return count_of(distinct.size(), of_images ? "image" : "edit");
}

bool is_of_images(const Finding& finding) {
  return finding.name == "unreadable-image" || finding.name == "repeated-image" || finding.name == "no-edit";
}

// ", of type 9 (78), 0 (2)" where the dataset has types.
std::string types_of(const Finding& finding) {
  std::map<std::pair<size_t, std::string>, size_t> counts;
  for (const Finding::Place& place : finding.places) {
    if (!place.type.empty()) ++counts[{place.type.size(), place.type}];
  }
  std::vector<std::string> parts;
  for (const auto& [type, count] : counts) parts.push_back(fmt::format("{} ({})", type.second, count));
  return parts.empty() ? "" : ", of type " + join(parts, ", ");
}

std::string finding_text(const Finding& finding) {
  std::string text = fmt::format("{:<6} {:<20} {}{}: {}\n", level_name(finding.level), finding.name,
                                 size_of(finding, is_of_images(finding)), types_of(finding), finding.consequence);
  for (size_t at = 0; at < std::min(finding.places.size(), kMaxPlaces); ++at) {
    const Finding::Place& place = finding.places[at];
    text += fmt::format("       {}{}{}{}{}\n", place.id, place.edit.empty() ? "" : ", edit ", place.edit,
                        place.detail.empty() ? "" : ": ", place.detail);
  }
  if (finding.places.size() > kMaxPlaces)
    text += fmt::format("       and {} more\n", finding.places.size() - kMaxPlaces);
  return text;
}

std::string types_text(const std::vector<TypeSummary>& types) {
  size_t width = 4;
  for (const TypeSummary& type : types) width = std::max(width, type.name.size());
  std::string text =
      fmt::format("type  {:<{}}  edits  blend words  equal word counts  masks  full masks\n", "name", width);
  for (const TypeSummary& type : types) {
    text += fmt::format("{:<4}  {:<{}}  {:>5}  {:>11}  {:>17}  {:>5}  {:>10}\n", type.type.empty() ? "-" : type.type,
                        type.name.empty() ? "-" : type.name, width, type.edits, type.with_words, type.equal_counts,
                        type.with_mask, type.full_masks);
  }
  return text;
}

size_t number_of_faults(const CheckReport& report) {
  return static_cast<size_t>(std::ranges::count(report.findings, Level::kFault, &Finding::level));
}

}  // namespace

std::string check_text(const CheckReport& report, const CheckOptions& options, const std::string& title) {
  std::string text =
      fmt::format("dataset   {} ({}, {})\n", title, count_of(report.images, "image"), count_of(report.edits, "edit"));
  text += fmt::format("protocol  {}\n", protocol_name(options.protocol));
  text += fmt::format("tokens    at most {}, counted by {}\n", options.max_tokens, options.tokenizer);
  if (!report.types.empty()) text += "\n" + types_text(report.types);
  if (!report.findings.empty()) text += "\n";
  for (const Finding& finding : report.findings) text += finding_text(finding);
  const size_t faults = number_of_faults(report);
  text += fmt::format("\n{} that will fail records, {}\n", count_of(faults, "fault"),
                      count_of(report.findings.size() - faults, "note"));
  return text;
}

std::string check_json(const CheckReport& report, const CheckOptions& options, const std::string& title) {
  using Json = nlohmann::ordered_json;
  Json json = {{"dataset", title},
               {"images", report.images},
               {"edits", report.edits},
               {"protocol", protocol_name(options.protocol)},
               {"tokens", {{"most", options.max_tokens}, {"counted_by", options.tokenizer}}},
               {"types", Json::array()},
               {"findings", Json::array()}};
  for (const TypeSummary& type : report.types) {
    json["types"].push_back({{"type", type.type},
                             {"name", type.name},
                             {"edits", type.edits},
                             {"blend_words", type.with_words},
                             {"equal_word_counts", type.equal_counts},
                             {"masks", type.with_mask},
                             {"full_masks", type.full_masks}});
  }
  for (const Finding& finding : report.findings) {
    Json places = Json::array();
    for (const Finding::Place& place : finding.places) {
      places.push_back({{"id", place.id}, {"edit", place.edit}, {"type", place.type}, {"detail", place.detail}});
    }
    json["findings"].push_back({{"name", finding.name},
                                {"level", level_name(finding.level)},
                                {"consequence", finding.consequence},
                                {"places", std::move(places)}});
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace roundtrip::data
