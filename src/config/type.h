// Types of config values with their ranges and choices, from which config/schema.h is built.
#pragma once

#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "hydra/tree/node.h"

namespace roundtrip::config {

// The values that are allowed. Built by the named constructors, narrowed by the chained methods.
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
  static Type dict(Type element);                 // any keys
  static Type any_of(std::vector<Type> members);  // the first member that accepts the value
  static Type any() { return Type(Kind::kAny); }

  Type range(double min, double max) const;  // both ends allowed
  Type min(double min) const;
  Type max(double max) const;
  Type above(double min) const;        // min itself is not allowed
  Type size(size_t length) const;      // of a list
  Type at_least(size_t length) const;  // of a list
  Type or_null() const;

  Kind kind() const { return kind_; }
  const std::vector<std::string>& choices() const { return choices_; }
  std::string text() const;  // "int in [1, 1000] or null", "one of [t, t-1]", "list of str"
  // For completion, the values where they are few: the choices of an enum, true and false, null.
  std::vector<std::string> words() const;

  // Returns the value converted as OmegaConf does (hydra.md 1.10), or nothing and the reason in `why`.
  std::optional<hydra::Node> convert(const hydra::Node& value, std::string& why) const;

 private:
  explicit Type(Kind kind) : kind_(kind) {}
  bool in_range(double value) const;
  std::string range_text() const;
  std::optional<hydra::Node> convert_list(const hydra::Node& value, std::string& why) const;
  std::optional<hydra::Node> convert_dict(const hydra::Node& value, std::string& why) const;
  std::optional<hydra::Node> convert_union(const hydra::Node& value, std::string& why) const;

  Kind kind_;
  bool nullable_ = false, open_min_ = false;
  double min_ = -std::numeric_limits<double>::infinity(), max_ = std::numeric_limits<double>::infinity();
  std::optional<size_t> length_;
  size_t min_length_ = 0;
  std::vector<std::string> choices_;
  std::vector<Type> members_;
};

}  // namespace roundtrip::config
