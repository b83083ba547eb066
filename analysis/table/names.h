// Texts by number: a text that a million records share is stored once and compared as an integer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace roundtrip::analysis {

class Names {
 public:
  int32_t number(std::string_view text);  // a new text gets the next number
  const std::string& text(int32_t number) const { return *texts_[number]; }
  size_t size() const { return texts_.size(); }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  std::unordered_map<std::string, int32_t, Hash, std::equal_to<>> numbers_;
  std::vector<const std::string*> texts_;  // the map's keys, which stay where they are
};

}  // namespace roundtrip::analysis
