// The types and ranges of config keys. Values live in YAML only, types and ranges here only; error messages and help
// are made from the same table.
//
//   Schema schema;
//   schema.add({"steps", Type::integer().range(1, 1000), "", "steps of the grid"});
//   schema.add({"dataset.size", Type::any_of({Type::integer().min(1), Type::list(Type::integer().min(1))}).or_null()});
//   schema.add_open_section("method");  // each method reads its own keys
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "config/type.h"
#include "hydra/launch/key_info.h"
#include "hydra/tree/node.h"

namespace roundtrip::config {

struct Field {
  std::string path;  // "engine.max_batch"
  Type type = Type::any();
  std::string unit = {};
  std::string doc = {};
};

class Schema {
 public:
  void add(Field field);
  // A section whose keys are open ("method"): those without a field of their own pass unchecked, for their readers.
  void add_open_section(std::string path);

  // True if `path` has keys below it: "engine".
  bool is_section(const std::string& path) const;
  const std::vector<Field>& fields() const { return fields_; }
  std::vector<hydra::KeyInfo> key_infos() const;  // of fields()

  // Returns the config with every value converted and checked; every field of the schema must be present. Throws kType
  // naming key, origin, found, expected and range; for an unknown key the known ones and the nearest; kMissing as
  // hydra::check_missing.
  hydra::Node validate(const hydra::Node& resolved) const;

 private:
  friend class Checker;

  std::vector<Field> fields_;
  std::vector<std::string> open_sections_;
};

// Validates many configs that share sections, as the jobs of a sweep do: a section is checked once.
class Checker {
 public:
  explicit Checker(const Schema& schema);

  hydra::Node validate(const hydra::Node& resolved);  // as Schema::validate

 private:
  struct Layout;
  struct Checked {
    hydra::Node from, to;  // holding `from` keeps the address in checked_ valid
    size_t fields = 0;
  };

  Checked section(const hydra::Node& node, const std::string& path);

  std::shared_ptr<const Layout> layout_;
  std::map<const void*, Checked> checked_;  // by the identity of the section
};

}  // namespace roundtrip::config
