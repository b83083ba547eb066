// The functions of the override grammar: int float str bool choice range interval glob sort shuffle tag, as in
// Hydra's grammar_functions.py, and zip, which is ours.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "hydra/override/element.h"

namespace roundtrip::hydra {

struct Call {
  std::string name;
  std::string text;  // as written, for messages
  std::vector<Element> positional;
  std::vector<std::pair<std::string, Element>> named;
};

// Throws kParse: "TypeError while evaluating 'range(a)': ...".
Element evaluate(Call call);

// Whether Python's == holds between two parsed values: 1 == 1.0 == True.
bool python_equal(const Element& a, const Element& b);

}  // namespace roundtrip::hydra
