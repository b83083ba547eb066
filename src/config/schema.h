// The types and ranges of config keys. Values live in YAML only, types and ranges here only; the same table makes the
// error messages and the help.
//
//   Schema schema;
//   schema.add({"steps", Type::integer().range(1, 1000), "", "steps of the grid"});
//   schema.add({"dataset.size", Type::any_of({Type::integer().min(1), Type::list(Type::integer().min(1))}).or_null()});
//   schema.section_by_choice("method", "method.name");
//   schema.add_choice("method.name", "null_text", {"method.inner_steps", Type::integer().range(1, 1000)});
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "config/node.h"
#include "config/type.h"

namespace roundtrip::config {

struct Field {
  std::string path;  // "engine.max_batch"
  Type type = Type::any();
  std::string unit = {};
  std::string doc = {};
};

// What help and completion say of a key.
struct KeyInfo {
  std::string path, type, unit, doc;  // type: "int in [1, 1000] or null"
  std::vector<std::string> words;     // what may be typed where the values are few
  bool is_path = false;               // file names may be typed
};

class Schema {
 public:
  void add(Field field);
  // Fields that exist only while the key `selector` ("method.name") holds `choice`.
  void add_choice(const std::string& selector, const std::string& choice, Field field);
  // A choice of a selector without fields of its own.
  void declare_choice(const std::string& selector, const std::string& choice);
  // A section whose keys are open ("method"): those without a field of their own pass unchecked, for who reads them.
  void add_open_section(std::string path);

  // Whether `path` is the name of a section: a key under which other fields stand.
  bool is_section(const std::string& path) const;
  const Field* find(const std::string& path, const Node& config) const;
  const std::vector<Field>& fields() const { return fields_; }
  std::vector<KeyInfo> key_infos() const;  // of fields()
  std::vector<Field> fields_of(const std::string& selector, const std::string& choice) const;

  // Throws kMissing for all ??? of the config at once, with the text to paste.
  void check_missing(const Node& config) const;

  // The config with every value converted and checked; every field of the schema must be there. Throws kType naming
  // key, origin, found, expected and range; for an unknown key the legal ones and the nearest; kMissing as
  // check_missing.
  Node validate(const Node& resolved) const;

 private:
  friend class Checker;
  using FieldMap = std::map<std::string, const Field*>;
  FieldMap fields_for(const Node& config) const;

  std::vector<Field> fields_;
  std::map<std::string, std::map<std::string, std::vector<Field>>> by_choice_;  // selector -> choice -> fields
  std::vector<std::string> open_sections_;
};

// Validates many configs that share sections, as the jobs of a sweep do: a section that was checked is not checked
// again.
class Checker {
 public:
  explicit Checker(const Schema& schema) : schema_(schema) {}

  Node validate(const Node& resolved);  // as Schema::validate

 private:
  struct Shape;
  struct Checked {
    Node from, to;  // `from` keeps the identity alive that the memo goes by
    size_t fields = 0;
  };

  const Shape& shape_for(const Node& config);
  Checked section(const Shape& shape, const Node& node, const std::string& path);

  const Schema& schema_;
  std::map<std::vector<std::string>, std::shared_ptr<const Shape>> shapes_;  // by what the selectors chose
  std::map<std::pair<const Shape*, const void*>, Checked> known_;
};

}  // namespace roundtrip::config
