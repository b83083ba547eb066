#include "store/json_form.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/hash.h"

namespace roundtrip::store {
namespace {

using nlohmann::json;

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

NLOHMANN_JSON_SERIALIZE_ENUM(ColumnType, {{ColumnType::kFloat64, "float64"},
                                          {ColumnType::kInt64, "int64"},
                                          {ColumnType::kString, "string"}})
NLOHMANN_JSON_SERIALIZE_ENUM(ArrayType, {{ArrayType::kFloat32, "float32"}, {ArrayType::kUint8, "uint8"}})

// True for ASCII without a NUL.
bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](unsigned char c) { return 0 < c && c < 0x80; });
}

std::string dump(const json& value) {
  return value.dump(/*indent=*/-1, ' ', /*ensure_ascii=*/false, json::error_handler_t::replace);
}

double number_of(const json& value) {
  if (!value.is_array()) return value.get<double>();
  const auto name = value.at(0).get<std::string>();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  return name == "inf" ? kInfinity : name == "-inf" ? -kInfinity : std::numeric_limits<double>::quiet_NaN();
}

Value value_of(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_integer()) return value.get<int64_t>();
  return number_of(value);
}

// Values appended as JSON.

void append(std::string& json, int64_t value) {
  std::array<char, 24> digits;
  json.append(digits.data(), std::to_chars(digits.begin(), digits.end(), value).ptr);
}

void append(std::string& json, double value) {
  if (!std::isfinite(value)) {
    json += std::isnan(value) ? R"(["nan"])" : value > 0 ? R"(["inf"])" : R"(["-inf"])";
    return;
  }
  std::array<char, 32> digits;
  const std::string_view shortest(digits.data(), std::to_chars(digits.begin(), digits.end(), value).ptr);
  json += shortest;
  if (shortest.find_first_of(".e") == shortest.npos) json += ".0";  // keep a whole number a float64
}

void append(std::string& json, std::string_view text) {
  const auto stands_for_itself = [](unsigned char c) { return c >= ' ' && c < 0x7F && c != '"' && c != '\\'; };
  if (!std::ranges::all_of(text, stands_for_itself)) {
    json += dump(store::sanitise_utf8(text));
    return;
  }
  json += '"';
  json += text;
  json += '"';
}

// Appends the comma between two items of a list.
void append_comma(std::string& json) {
  if (json.back() != '{' && json.back() != '[') json += ',';
}

void append(std::string& json, const StepRow& step) {
  json += '[';
  const auto append_item = [&](auto item) {
    append_comma(json);
    append(json, item);
  };
  append_item(step.i);
  append_item(step.t);
  append_item(step.pivot_distance);
  append_item(step.loss);
  append_item(step.inner_steps);
  json += ']';
}

void append(std::string& json, const ArrayReference& array) {
  json += dump({{"path", array.path},
                {"type", array.type},
                {"shape", array.shape},
                {"offset", array.offset},
                {"size", array.size},
                {"check", array.check}});
}

void append_list(std::string& json, const auto& list) {
  json += '[';
  for (const auto& item : list) {
    append_comma(json);
    append(json, item);
  }
  json += ']';
}

void append(std::string& json, const std::map<std::string, Value>& values) {
  json += '{';
  for (const auto& [name, value] : values) {
    if (std::holds_alternative<std::monostate>(value)) continue;
    append_comma(json);
    append(json, std::string_view(name));
    json += ':';
    if (const auto* text = std::get_if<std::string>(&value)) append(json, std::string_view(*text));
    if (const auto* count = std::get_if<int64_t>(&value)) append(json, *count);
    if (const auto* number = std::get_if<double>(&value)) append(json, *number);
  }
  json += '}';
}

std::map<std::string, std::string> sanitise_utf8(const std::map<std::string, std::string>& texts) {
  std::map<std::string, std::string> result;
  for (const auto& [key, text] : texts) result[store::sanitise_utf8(key)] = store::sanitise_utf8(text);
  return result;
}

}  // namespace

std::string checksum(std::string_view bytes) { return sha256_hex(bytes).substr(0, 16); }

std::string sanitise_utf8(std::string_view text) {
  if (is_ascii(text)) return std::string(text);
  // dump() replaces invalid UTF-8, and parse() removes the escapes.
  auto result = json::parse(dump(json(text))).get<std::string>();
  for (size_t at = 0; (at = result.find('\0', at)) != std::string::npos; at += kReplacement.size()) {
    result.replace(at, 1, kReplacement);
  }
  return result;
}

// Writes text directly, without a JSON tree: a run has as many lines as records.
void encode_entry(const Record& record, std::span<const ArrayReference> arrays, std::string& json) {
  json += R"({"plan_row":)";
  append(json, record.plan_row);
  json += R"(,"values":)";
  append(json, record.values);
  json += R"(,"steps":)";
  append_list(json, record.steps);
  json += R"(,"arrays":)";
  append_list(json, arrays);
  json += '}';
}

JournalEntry decode_entry(std::string_view text) {
  const json entry = json::parse(text);
  JournalEntry result;
  result.record.plan_row = entry.at("plan_row");
  for (const auto& [name, value] : entry.at("values").items()) result.record.values[name] = value_of(value);
  for (const json& step : entry.at("steps")) {
    result.record.steps.push_back({.i = step.at(0),
                                   .t = number_of(step.at(1)),
                                   .pivot_distance = number_of(step.at(2)),
                                   .loss = number_of(step.at(3)),
                                   .inner_steps = step.at(4)});
  }
  for (const json& array : entry.at("arrays")) {
    result.arrays.push_back({.path = array.at("path"),
                             .type = array.at("type"),
                             .shape = array.at("shape"),
                             .offset = array.at("offset"),
                             .size = array.at("size"),
                             .check = array.at("check")});
  }
  return result;
}

std::string encode_layout(const StoredLayout& stored) {
  const TableLayout& layout = stored.layout;
  json columns = json::array();
  for (const Column& column : layout.columns) {
    columns.push_back({{"name", sanitise_utf8(column.name)},
                       {"type", column.type},
                       {"long_name", sanitise_utf8(column.long_name)},
                       {"units", sanitise_utf8(column.units)},
                       {"direction", sanitise_utf8(column.direction)},
                       {"version", sanitise_utf8(column.version)},
                       {"label", sanitise_utf8(column.label)},
                       {"digits", column.digits},
                       {"log_axis", column.log_axis},
                       {"perceptual", column.perceptual},
                       {"order", column.order},
                       {"metric", sanitise_utf8(column.metric)},
                       {"compares", sanitise_utf8(column.compares)},
                       {"view", sanitise_utf8(column.view)}});
  }
  std::string text = R"({"columns":)" + dump(columns);
  text += R"(,"attributes":)" + dump(sanitise_utf8(layout.attributes));
  text += R"(,"trial_configs":)";  // written directly too: a sweep has many trials
  append_list(text, layout.trial_configs);
  text += R"(,"trial_ids":)";
  append_list(text, layout.trial_ids);
  text += R"(,"provenance":)" + dump(sanitise_utf8(layout.provenance));
  return text + fmt::format(R"(,"planned_records":{},"plan":{}}})", layout.planned_records, stored.plan);
}

StoredLayout decode_layout(std::string_view text) {
  const json read = json::parse(text);
  StoredLayout result{.layout = {}, .plan = read.at("plan")};
  TableLayout& layout = result.layout;
  for (const json& column : read.at("columns")) {
    layout.columns.push_back({.name = column.at("name"),
                              .type = column.at("type"),
                              .long_name = column.at("long_name"),
                              .units = column.at("units"),
                              .direction = column.at("direction"),
                              .version = column.at("version"),
                              .label = column.value("label", std::string()),  // earlier versions had none of these
                              .digits = column.value("digits", -1),
                              .log_axis = column.value("log_axis", false),
                              .perceptual = column.value("perceptual", false),
                              .order = column.value("order", kLastOrder),
                              .metric = column.value("metric", std::string()),
                              .compares = column.value("compares", std::string()),
                              .view = column.value("view", std::string())});
  }
  read.at("attributes").get_to(layout.attributes);
  read.at("trial_configs").get_to(layout.trial_configs);
  read.at("trial_ids").get_to(layout.trial_ids);
  read.at("provenance").get_to(layout.provenance);
  read.at("planned_records").get_to(layout.planned_records);
  return result;
}

}  // namespace roundtrip::store
