// A key as help and completion describe it. The program makes it from its schema, which this room does not know.
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
