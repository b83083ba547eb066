// The types and ranges of config keys. Values live in YAML only, types and ranges here only; the same table makes the
// error messages and the help.
//
//   Schema schema;
//   schema.add({"steps", Type::integer().range(1, 1000), "", "steps of the grid"});
//   schema.add({"dataset.size", Type::any_of({Type::integer().min(1), Type::list(Type::integer().min(1))}).or_null()});
//   schema.section_by_choice("method", "method.name");
//   schema.add_choice("method.name", "null_text", {"method.inner_steps", Type::integer().range(1, 1000)});
#pragma once

#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/node.h"

namespace roundtrip::config {

// What a value may be. Built by the named constructors, narrowed by the chained ones.
class Type {
 public:
  enum class Kind { kInt, kFloat, kBool, kString, kPath, kEnum, kList, kDict, kUnion, kAny };

  static Type integer() { return Type(Kind::kInt); }
  static Type number() { return Type(Kind::kFloat); }
  static Type boolean() { return Type(Kind::kBool); }
  static Type string() { return Type(Kind::kString); }
  static Type path() { return Type(Kind::kPath); }
  static Type one_of(std::vector<std::string> choices);
  static Type list(Type element);
  static Type dict(Type element);               // any keys
  static Type any_of(std::vector<Type> members);  // the first member that takes the value
  static Type any() { return Type(Kind::kAny); }

  Type range(double min, double max) const;  // both ends allowed
  Type min(double min) const;
  Type max(double max) const;
  Type above(double min) const;               // min itself is not allowed
  Type size(size_t length) const;             // of a list
  Type at_least(size_t length) const;         // of a list
  Type or_null() const;

  Kind kind() const { return kind_; }
  bool nullable() const { return nullable_; }
  const std::vector<std::string>& choices() const { return choices_; }
  std::string text() const;  // "int in [1, 1000] or null", "one of [t, t-1]", "list of str"

  // The value converted as OmegaConf converts (hydra.md 1.10), or nothing and the reason in `why`.
  std::optional<Node> convert(const Node& value, std::string& why) const;

 private:
  explicit Type(Kind kind) : kind_(kind) {}
  bool in_range(double value) const;
  std::string range_text() const;

  Kind kind_;
  bool nullable_ = false, open_min_ = false;
  double min_ = -std::numeric_limits<double>::infinity(), max_ = std::numeric_limits<double>::infinity();
  std::optional<size_t> length_;
  size_t min_length_ = 0;
  std::vector<std::string> choices_;
  std::vector<Type> members_;
};

struct Field {
  std::string path;  // "engine.max_batch"
  Type type = Type::any();
  std::string unit = {};
  std::string doc = {};
};

class Schema {
 public:
  void add(Field field);
  // Fields that exist only while the key `selector` ("method.name") holds `choice`.
  void add_choice(const std::string& selector, const std::string& choice, Field field);
  // A choice of a selector without fields of its own.
  void declare_choice(const std::string& selector, const std::string& choice);
  // A section that anything may stand in ("expect").
  void add_open_section(std::string path);

  // Whether `path` is the name of a section: a key under which other fields stand.
  bool is_section(const std::string& path) const;
  const Field* find(const std::string& path, const Node& config) const;
  const std::vector<Field>& fields() const { return fields_; }
  std::vector<Field> fields_of(const std::string& selector, const std::string& choice) const;

  // The config with every value converted and checked. Throws kType naming key, origin, found, expected and range;
  // for an unknown key the legal ones and the nearest; kMissing for all ??? at once, with the text to paste.
  Node validate(const Node& resolved) const;

 private:
  std::vector<Field> fields_;
  std::map<std::string, std::map<std::string, std::vector<Field>>> by_choice_;  // selector -> choice -> fields
  std::vector<std::string> open_sections_;
};

}  // namespace roundtrip::config
