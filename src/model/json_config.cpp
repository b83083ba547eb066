#include "model/json_config.h"

#include <algorithm>
#include <concepts>

#include <fmt/format.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "model/disguise.h"

namespace roundtrip::model {
namespace {

using nlohmann::json;

template <typename T>
struct Reader;

template <>
struct Reader<bool> {
  static constexpr std::string_view kName = "true or false";
  static bool fits(const json& value) { return value.is_boolean(); }
};
template <>
struct Reader<int64_t> {
  static constexpr std::string_view kName = "a whole number";
  static bool fits(const json& value) {
    // nlohmann would wrap values beyond int64.
    if (value.is_number_unsigned()) return std::in_range<int64_t>(value.get<uint64_t>());
    return value.is_number_integer();
  }
};
template <>
struct Reader<double> {
  static constexpr std::string_view kName = "a number";
  static bool fits(const json& value) { return value.is_number(); }
};
template <>
struct Reader<std::string> {
  static constexpr std::string_view kName = "a text";
  static bool fits(const json& value) { return value.is_string(); }
};
template <typename T>
struct Reader<std::vector<T>> {
  static constexpr std::string_view kName = "a list";
  static bool fits(const json& value) { return value.is_array() && std::ranges::all_of(value, Reader<T>::fits); }
};

template <typename T>
std::string type_name() {
  if constexpr (requires { typename T::value_type; } && !std::same_as<T, std::string>) {
    return fmt::format("a list, each {}", Reader<typename T::value_type>::kName);
  } else {
    return std::string(Reader<T>::kName);
  }
}

}  // namespace

JsonConfig JsonConfig::open(const std::filesystem::path& path) {
  const std::string text = read_file(path);
  refuse_disguise(text, path.string());
  return parse(text, path.string());
}

JsonConfig JsonConfig::parse(std::string_view text, std::string where) {
  json values = parse_json(text, where);
  if (!values.is_object()) throw input_error(where, "not a JSON object", "an object of settings");
  return JsonConfig(std::move(values), std::move(where));
}

bool JsonConfig::has(std::string_view key) const {
  const auto found = values_.find(std::string(key));
  return found != values_.end() && !found->is_null();
}

const json* JsonConfig::read(std::string_view key) {
  const auto found = values_.find(std::string(key));
  if (found == values_.end()) return nullptr;
  read_.emplace(key);
  return &*found;
}

std::string JsonConfig::nearest(std::string_view key) const {
  std::vector<std::string> keys;
  for (const auto& item : values_.items()) keys.push_back(item.key());
  return did_you_mean(key, keys);
}

void JsonConfig::fail(std::string_view key, std::string_view expected) const {
  const auto found = values_.find(std::string(key));
  throw input_error(where_, fmt::format("{} is {}", key, found == values_.end() ? "absent" : json_text(*found)),
                    expected);
}

template <typename T>
T JsonConfig::get(std::string_view key) {
  const json* value = read(key);
  if (value == nullptr) {
    throw input_error(where_, fmt::format("no key {}", name_text(key)), type_name<T>() + "." + nearest(key));
  }
  if (!Reader<T>::fits(*value)) fail(key, type_name<T>());
  return value->get<T>();
}

template <typename T>
T JsonConfig::get(std::string_view key, T fallback) {
  return values_.contains(key) ? get<T>(key) : fallback;
}

int64_t JsonConfig::at_least(int64_t least, std::string_view key, int64_t fallback) {
  const auto value = get<int64_t>(key, fallback);
  if (value < least) fail(key, fmt::format("{} or more", least));
  return value;
}

template <typename T>
std::optional<T> JsonConfig::find(std::string_view key) {
  const json* value = read(key);
  if (value == nullptr || value->is_null()) return std::nullopt;
  return get<T>(key);
}

template <typename T>
std::vector<T> JsonConfig::per_block(std::string_view key, size_t blocks, T fallback) {
  const json* value = read(key);
  if (value == nullptr) return std::vector<T>(blocks, fallback);
  if (!value->is_array()) return std::vector<T>(blocks, get<T>(key));
  if (value->size() != blocks) fail(key, fmt::format("one value, or one for each of {} blocks", blocks));
  return get<std::vector<T>>(key);
}

template <typename T>
std::vector<std::vector<T>> JsonConfig::per_layer(std::string_view key, const std::vector<int64_t>& layers,
                                                  T fallback) {
  const json* value = read(key);
  const bool is_nested = value != nullptr && value->is_array() && std::ranges::any_of(*value, &json::is_array);
  std::vector<std::vector<T>> values;
  if (!is_nested) {
    const std::vector<T> of_block = per_block<T>(key, layers.size(), fallback);
    for (size_t b = 0; b < layers.size(); ++b) values.emplace_back(layers[b], of_block[b]);
    return values;
  }
  if (value->size() != layers.size()) fail(key, fmt::format("one value for each of {} blocks", layers.size()));
  for (size_t b = 0; b < layers.size(); ++b) {
    const json& block = (*value)[b];
    if (Reader<T>::fits(block)) {
      values.emplace_back(layers[b], block.template get<T>());
    } else if (Reader<std::vector<T>>::fits(block) && block.size() == static_cast<size_t>(layers[b])) {
      values.push_back(block.template get<std::vector<T>>());
    } else {
      fail(key, fmt::format("for block {} {}, or a list of {} of them", b, Reader<T>::kName, layers[b]));
    }
  }
  return values;
}

void JsonConfig::refuse_unless(std::string_view key, std::initializer_list<json> allowed) {
  const json* value = read(key);
  if (value == nullptr || std::ranges::find(allowed, *value) != allowed.end()) return;
  std::vector<std::string> texts;
  for (const json& one : allowed) texts.push_back(json_text(one));
  throw Error(ErrorKind::kInput, fmt::format("{}: {} is {}; this network is implemented only for {}", where_, key,
                                             json_text(*value), join(texts, " or ")));
}

void JsonConfig::ignore(std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys) read_.emplace(key);
}

std::vector<std::pair<std::string, json>> JsonConfig::unread() const {
  std::vector<std::pair<std::string, json>> unread;
  for (const auto& [key, value] : values_.items()) {
    if (!key.starts_with('_') && !read_.contains(key)) unread.emplace_back(key, value);
  }
  return unread;
}

void JsonConfig::refuse_unread() const {
  for (const auto& [key, value] : unread()) {
    if (value.is_null() || value == false) continue;
    throw input_error(where_,
                      fmt::format("{} is {}, a key that this network does not know", name_text(key), json_text(value)),
                      "only keys whose effect is implemented");
  }
}

#define ROUNDTRIP_JSON_CONFIG_TYPE(T)                          \
  template T JsonConfig::get<T>(std::string_view);             \
  template T JsonConfig::get<T>(std::string_view, T fallback); \
  template std::optional<T> JsonConfig::find<T>(std::string_view);
#define ROUNDTRIP_JSON_CONFIG_ELEMENT(T)     \
  ROUNDTRIP_JSON_CONFIG_TYPE(T)              \
  ROUNDTRIP_JSON_CONFIG_TYPE(std::vector<T>) \
  template std::vector<T> JsonConfig::per_block<T>(std::string_view, size_t blocks, T fallback);
ROUNDTRIP_JSON_CONFIG_ELEMENT(bool)
ROUNDTRIP_JSON_CONFIG_ELEMENT(int64_t)
ROUNDTRIP_JSON_CONFIG_ELEMENT(double)
ROUNDTRIP_JSON_CONFIG_ELEMENT(std::string)
template std::vector<std::vector<int64_t>> JsonConfig::per_layer<int64_t>(std::string_view, const std::vector<int64_t>&,
                                                                          int64_t fallback);
#undef ROUNDTRIP_JSON_CONFIG_ELEMENT
#undef ROUNDTRIP_JSON_CONFIG_TYPE

}  // namespace roundtrip::model
