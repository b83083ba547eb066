// Typed reading of a config section: the key, its type and its range are in the call, the value in YAML.
//
//   const int inner_steps = params.get_int("inner_steps", {.min = 1, .max = 1000});
// Includes only std and Error: `inversion` sees this header and no other of the room.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"

namespace roundtrip::config {

struct IntRange {
  int64_t min = std::numeric_limits<int64_t>::min(), max = std::numeric_limits<int64_t>::max();
};
struct FloatRange {
  double min = -std::numeric_limits<double>::infinity(), max = std::numeric_limits<double>::infinity();
};

class Params {
 public:
  using Value = std::variant<std::monostate, bool, int64_t, double, std::string>;  // monostate: null

  Params() = default;
  // `section` ("method") and `origins` (key -> "configs/method/ddim.yaml:3" or "command line") are for messages.
  Params(std::string section, std::map<std::string, Value> values, std::map<std::string, std::string> origins = {});

  bool has(const std::string& key) const;
  bool is_null(const std::string& key) const;
  // Each throws kType naming section.key, its origin, the value found, and the type and range expected;
  // a missing key is kMissing with the keys that exist.
  bool get_bool(const std::string& key) const;
  int64_t get_int(const std::string& key, IntRange range = {}) const;
  double get_float(const std::string& key, FloatRange range = {}) const;  // takes integers too
  const std::string& get_string(const std::string& key, const std::vector<std::string>& choices = {}) const;

  // A file, relative to the working directory; empty where the key is null or absent. The key is `path` or ends in
  // `_path`: what decides a result is then the file's content, not its name.
  std::string get_path(const std::string& key) const;
  static bool is_path(const std::string& key) { return key == "path" || key.ends_with("_path"); }

  const std::map<std::string, Value>& values() const { return values_; }
  // Keys that no getter has read yet: an unread parameter is a mistake in the config.
  std::vector<std::string> unread() const;
  // Throws kType for a key that no getter has read; `owner` ("dataset 'folder'") has the parameters that it asked for.
  void check_all_read(const std::string& owner) const;
  // Keys that getters have read, with their type and range ("int in [1, 1000]"): the reference is generated from them.
  const std::map<std::string, std::string>& asked() const { return asked_; }

  bool operator==(const Params& other) const { return section_ == other.section_ && values_ == other.values_; }

 private:
  const Value& find(const std::string& key) const;
  Error wrong(const std::string& key, std::string_view expected) const;

  std::string section_;
  std::map<std::string, Value> values_;
  std::map<std::string, std::string> origins_;
  mutable std::map<std::string, std::string> asked_;  // empty where only is_null() was called
};

// A value as messages show it: null, true of type bool, 'x' of type str.
std::string value_text(const Params::Value& value);

}  // namespace roundtrip::config
