#include "analysis/table/names.h"

namespace roundtrip::analysis {

int32_t Names::number(std::string_view text) {
  if (const auto known = numbers_.find(text); known != numbers_.end()) return known->second;
  const auto added = numbers_.emplace(text, static_cast<int32_t>(texts_.size())).first;
  texts_.push_back(&added->first);
  return added->second;
}

}  // namespace roundtrip::analysis
