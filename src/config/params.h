// Typed reading of a config section: the key, its type and its range are in the call, the value in YAML.
//
//   const int inner_steps = params.get_int("inner_steps", {.min = 1, .max = 1000});
//   const config::Params& blend = params.section("blend");
//   const double start = blend.get_float("start", {.min = 0, .max = 1});  // messages call it editor.blend.start
// Includes only std and Error: `inversion` sees this header and no other of the room.
#pragma once

#include <cstdint>
#include <limits>
#include <list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
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

struct SizeRange {
  size_t min = 0, max = std::numeric_limits<size_t>::max();
};

// A value of the config, with its alternatives as std::get and std::visit see them. Monostate is null. A map keeps the
// order in which its keys were written; a key that YAML reads as a number or a bool is its text ("1", "True").
struct Value;
using List = std::vector<Value>;
using Map = std::vector<std::pair<std::string, Value>>;
struct Value : std::variant<std::monostate, bool, int64_t, double, std::string, List, Map> {
  using variant::variant;
};

class Params {
 public:
  using Value = config::Value;

  Params() = default;
  // `section` ("method") and `origins` (key -> "configs/method/ddim.yaml:3" or "command line") are for messages. Keys
  // of nested sections have dotted origins ("blend.start"); one without an origin takes that of its section.
  Params(std::string section, std::map<std::string, Value> values, std::map<std::string, std::string> origins = {});

  bool has(const std::string& key) const;
  bool is_null(const std::string& key) const;
  // Each throws kType naming section.key, its origin, the value found, and the type and range expected;
  // a missing key is kMissing with the keys that exist.
  bool get_bool(const std::string& key) const;
  int64_t get_int(const std::string& key, IntRange range = {}) const;
  double get_float(const std::string& key, FloatRange range = {}) const;  // takes integers too
  const std::string& get_string(const std::string& key, const std::vector<std::string>& choices = {}) const;

  // The fallback where the key is null or absent.
  std::string get_string_or(const std::string& key, const std::string& fallback,
                            const std::vector<std::string>& choices = {}) const;
  bool get_bool_or(const std::string& key, bool fallback) const;

  // One number, or a list of numbers. Where the size may be 1 a number counts as a list of one, and where it may be 0
  // null counts as an empty list.
  std::vector<double> get_floats(const std::string& key, SizeRange size = {}, FloatRange range = {}) const;
  // A map of words to numbers, in the order written; null is empty.
  std::vector<std::pair<std::string, double>> get_weights(const std::string& key, FloatRange range = {}) const;
  // A list of strings; a string is a list of one, and null is empty.
  std::vector<std::string> get_strings(const std::string& key) const;
  // A list whose items are strings or lists of strings ([cat, [big, dog]]); null is empty.
  std::vector<std::vector<std::string>> get_string_lists(const std::string& key, SizeRange size = {}) const;

  // A nested section, which lives as long as this object. A key of it that no getter has read is unread here too, as
  // "blend.strat", so keep the reference: a copy forgets what its original is asked.
  const Params& section(const std::string& key) const;

  // A value of several types, which the caller takes apart; `type` says which, for the reference. For a value of none
  // of them throw wrong(key, expected).
  const Value& get_value(const std::string& key, const std::string& type) const;
  Error wrong(const std::string& key, std::string_view expected) const;

  // A file, relative to the working directory; empty where the key is null or absent. The key is `path` or ends in
  // `_path`: what decides a result is then the file's content, not its name.
  std::string get_path(const std::string& key) const;
  static bool is_path(const std::string& key) { return key == "path" || key.ends_with("_path"); }

  const std::map<std::string, Value>& values() const { return values_; }
  // Keys that no getter has read yet, with the dotted ones of sections: an unread parameter is a mistake in the config.
  std::vector<std::string> unread() const;
  // Throws kType for a key that no getter has read; `owner` ("dataset 'folder'") has the parameters that it asked for.
  void check_all_read(const std::string& owner) const;
  // Keys that getters have read, with their type and range ("int in [1, 1000]"): the reference is generated from them.
  // A section has its keys instead, dotted.
  std::map<std::string, std::string> asked() const;

  bool operator==(const Params& other) const { return section_ == other.section_ && values_ == other.values_; }

 private:
  const Value& find(const std::string& key) const;
  std::string origin_text(const std::string& key) const;  // ends with ": ", or is empty

  std::string section_;
  std::map<std::string, Value> values_;
  std::map<std::string, std::string> origins_;
  mutable std::map<std::string, std::string> asked_;            // empty where only is_null() was called
  mutable std::list<std::pair<std::string, Params>> sections_;  // those that section() has given out, by key
};

// A value as messages show it: null, true of type bool, 'x' of type str, [0.2, 'x'] of type list, {'red': 3} of type
// dict.
std::string value_text(const Value& value);

// A value in one line without its type: a scalar alone as it is written, strings inside lists and maps in quotes, the
// keys of a map in their order. All parameters of a section, as "key=value,key=value": part of the keys of shared work.
std::string canonical_text(const Value& value);
std::string canonical_text(const Params& params);

}  // namespace roundtrip::config
