#include "store/json_form.h"

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

std::string dump(const json& value) {
  return value.dump(/*indent=*/-1, ' ', /*ensure_ascii=*/false, json::error_handler_t::replace);
}

json number_json(double value) {
  if (std::isfinite(value)) return value;
  return json::array({std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf"});
}

double number_of(const json& value) {
  if (!value.is_array()) return value.get<double>();
  const auto name = value.at(0).get<std::string>();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  return name == "inf" ? kInfinity : name == "-inf" ? -kInfinity : std::numeric_limits<double>::quiet_NaN();
}

json value_json(const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return mended(*text);
  if (const auto* count = std::get_if<int64_t>(&value)) return *count;
  return number_json(std::get<double>(value));
}

Value value_of(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_integer()) return value.get<int64_t>();
  return number_of(value);
}

std::map<std::string, std::string> mended(const std::map<std::string, std::string>& texts) {
  std::map<std::string, std::string> result;
  for (const auto& [key, text] : texts) result[store::mended(key)] = store::mended(text);
  return result;
}

}  // namespace

std::string checksum(std::string_view bytes) { return sha256_hex(bytes).substr(0, 16); }

std::string mended(std::string_view text) {
  // A dump replaces what is not UTF-8, a parse takes its escapes away.
  auto result = json::parse(dump(json(text))).get<std::string>();
  for (size_t at = 0; (at = result.find('\0', at)) != std::string::npos; at += kReplacement.size()) {
    result.replace(at, 1, kReplacement);
  }
  return result;
}

std::string encode_entry(const Record& record, std::span<const ArrayReference> arrays) {
  json values = json::object(), steps = json::array(), references = json::array();
  for (const auto& [name, value] : record.values) {
    if (!std::holds_alternative<std::monostate>(value)) values[name] = value_json(value);
  }
  for (const StepRow& step : record.steps) {
    steps.push_back({step.i, step.t, number_json(step.pivot_distance), number_json(step.loss), step.inner_steps});
  }
  for (const ArrayReference& array : arrays) {
    references.push_back({{"path", array.path},
                          {"type", array.type},
                          {"shape", array.shape},
                          {"offset", array.offset},
                          {"size", array.size},
                          {"check", array.check}});
  }
  return dump({{"plan_row", record.plan_row}, {"values", values}, {"steps", steps}, {"arrays", references}});
}

JournalEntry decode_entry(std::string_view text) {
  const json entry = json::parse(text);
  JournalEntry result;
  result.record.plan_row = entry.at("plan_row");
  for (const auto& [name, value] : entry.at("values").items()) result.record.values[name] = value_of(value);
  for (const json& step : entry.at("steps")) {
    result.record.steps.push_back({.i = step.at(0),
                                   .t = step.at(1),
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
  json columns = json::array(), configs = json::array();
  for (const Column& column : layout.columns) {
    columns.push_back({{"name", mended(column.name)},
                       {"type", column.type},
                       {"long_name", mended(column.long_name)},
                       {"units", mended(column.units)},
                       {"direction", mended(column.direction)},
                       {"version", mended(column.version)}});
  }
  for (const std::string& config : layout.trial_configs) configs.push_back(mended(config));
  return dump({{"columns", columns},
               {"attributes", mended(layout.attributes)},
               {"trial_configs", configs},
               {"trial_ids", layout.trial_ids},
               {"provenance", mended(layout.provenance)},
               {"planned_records", layout.planned_records},
               {"plan", stored.plan}});
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
                              .version = column.at("version")});
  }
  read.at("attributes").get_to(layout.attributes);
  read.at("trial_configs").get_to(layout.trial_configs);
  read.at("trial_ids").get_to(layout.trial_ids);
  read.at("provenance").get_to(layout.provenance);
  read.at("planned_records").get_to(layout.planned_records);
  return result;
}

}  // namespace roundtrip::store
