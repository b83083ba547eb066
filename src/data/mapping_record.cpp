#include "data/mapping_record.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"

namespace roundtrip::data {
namespace {

using Json = MappingRecord::Json;

std::optional<std::string> text_of(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_integer()) return value.dump();
  return std::nullopt;
}

// A number past int64 is past every image too.
int64_t whole_number(const Json& value) {
  constexpr auto kMost = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  return value.is_number_unsigned() ? static_cast<int64_t>(std::min(value.get<uint64_t>(), kMost))
                                    : value.get<int64_t>();
}

std::optional<std::vector<int64_t>> numbers_in(const std::string& text) {
  std::vector<int64_t> numbers;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (true) {
    while (at != end && (*at == ' ' || *at == ',')) ++at;
    if (at == end) return numbers;
    int64_t number = 0;
    const auto [after, error] = std::from_chars(at, end, number);
    if (error != std::errc() || (after != end && *after != ' ' && *after != ',')) return std::nullopt;
    numbers.push_back(number);
    at = after;
  }
}

}  // namespace

MappingRecord::MappingRecord(const Json& value, std::string where) : value_(value), where_(std::move(where)) {
  if (!value.is_object()) {
    throw input_error(where_, fmt::format("is a {}", value.type_name()), "an object with an image and prompts");
  }
}

const std::string& MappingRecord::name_of(const std::vector<std::string>& names) const {
  for (const std::string& name : names) {
    if (value_.contains(name)) return name;
  }
  std::vector<std::string> keys;
  for (const auto& [key, value] : value_.items()) keys.push_back(key);
  throw input_error(where_, fmt::format("has no {}", join(names, " or ")),
                    fmt::format("it beside {}.{}", join(keys, ", "), did_you_mean(names.front(), keys)));
}

const Json* MappingRecord::find(const std::vector<std::string>& names) const {
  if (names.empty()) return nullptr;
  const Json& value = value_.at(name_of(names));
  return value.is_null() ? nullptr : &value;
}

std::optional<std::string> MappingRecord::text(const std::vector<std::string>& names) const {
  const Json* value = find(names);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) {
    throw input_error(where_, fmt::format("{} is a {}", name_of(names), value->type_name()), "a string");
  }
  return value->get<std::string>();
}

std::optional<MappingRecord::Texts> MappingRecord::texts(const std::vector<std::string>& names) const {
  const Json* value = find(names);
  if (value == nullptr) return std::nullopt;
  Texts texts{.all = {}, .is_list = value->is_array()};
  const auto add = [&](const Json& item) {
    const std::optional<std::string> text = text_of(item);
    if (!text) {
      throw input_error(where_,
                        fmt::format("{} {} a {}", name_of(names), texts.is_list ? "holds" : "is", item.type_name()),
                        "a string or a list of strings");
    }
    texts.all.push_back(*text);
  };
  if (texts.is_list) {
    for (const Json& item : *value) add(item);
  } else {
    add(*value);
  }
  return texts;
}

std::optional<std::vector<int64_t>> MappingRecord::numbers(const std::vector<std::string>& names) const {
  const Json* value = find(names);
  if (value == nullptr) return std::nullopt;
  if (value->is_string()) return numbers_in(value->get<std::string>());
  const std::string expected = "a run-length list of whole numbers, or the name of a file";
  if (!value->is_array()) {
    throw input_error(where_, fmt::format("{} is a {}", name_of(names), value->type_name()), expected);
  }
  std::vector<int64_t> numbers;
  for (const Json& item : *value) {
    if (!item.is_number_integer()) {
      throw input_error(where_, fmt::format("{} holds a {}", name_of(names), item.type_name()), expected);
    }
    numbers.push_back(whole_number(item));
  }
  return numbers;
}

}  // namespace roundtrip::data
