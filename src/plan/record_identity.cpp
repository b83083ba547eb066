#include "plan/record_identity.h"

#include "base/error.h"

namespace roundtrip::plan {

std::string edit_text(const data::EditName& edit) { return edit.name.empty() ? edit.target_prompt : edit.name; }

std::string edit_type(const data::EditName& edit) {
  for (const char* key : {"type_name", "type"}) {
    const auto found = edit.attributes.find(key);
    if (found != edit.attributes.end()) return found->second;
  }
  return "";
}

std::string short_digest(const data::Dataset& dataset, size_t sample) {
  try {
    return dataset.digest(sample).substr(0, 16);
  } catch (const Error&) {  // its records say what is wrong with it
    return "";
  }
}

}  // namespace roundtrip::plan
