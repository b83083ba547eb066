// A key as help and completion describe it. The program fills it from its schema, of which this room knows nothing.
#pragma once

#include <string>
#include <vector>

namespace roundtrip::hydra {

struct KeyInfo {
  std::string path, type, unit, doc;  // type: "int in [1, 1000] or null"
  std::vector<std::string> words;     // every value, where there are few; offered by completion
  bool is_path = false;               // completion offers file names
};

}  // namespace roundtrip::hydra
