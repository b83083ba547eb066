// One record of a list of edits: typed access to its fields, with messages that name the record and the field.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace roundtrip::data {

class MappingRecord {
 public:
  using Json = nlohmann::ordered_json;

  // `where` is "edits.yaml: entry 3". Throws kInput if the value is not an object.
  MappingRecord(const Json& value, std::string where);

  const std::string& where() const { return where_; }

  // The field's name in this record: the first of `names` that it has. Throws kInput if it has none of them.
  const std::string& name_of(const std::vector<std::string>& names) const;

  // Each takes a field by its names; null, and no names at all, are nothing. Throws kInput for another type.
  std::optional<std::string> text(const std::vector<std::string>& names) const;
  // A text or a list of texts; whole numbers count as texts.
  struct Texts {
    std::vector<std::string> all;
    bool is_list = false;
  };
  std::optional<Texts> texts(const std::vector<std::string>& names) const;
  // A list of whole numbers, or a text of them with spaces or commas between. Nothing for any other text.
  std::optional<std::vector<int64_t>> numbers(const std::vector<std::string>& names) const;

 private:
  const Json* find(const std::vector<std::string>& names) const;

  const Json& value_;
  std::string where_;
};

}  // namespace roundtrip::data
