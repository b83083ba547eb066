// Hydra's override grammar (hydra-core 1.3 OverrideLexer.g4 and OverrideParser.g4; hydra.md 1.2), written by hand.
//
//   key=value   +key=value   ++key=value   ~key   ~key=value   group@package=option   key=a,b   key=range(1,5)
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hydra/override/element.h"

namespace roundtrip::hydra {

struct Override {
  enum class Type { kChange, kAdd, kForceAdd, kDelete };

  Type type = Type::kChange;
  std::string key;                     // "steps", "engine.max_batch", "model/scheduler"
  std::optional<std::string> package;  // after @; may be empty
  std::optional<Element> value;        // absent only in `~key`
  std::string input;                   // as typed

  bool is_sweep() const { return value && value->is_sweep(); }
  std::string key_and_package() const;  // group@package
  std::string key_text() const;         // with its prefix: +group@package
  std::string text() const;             // key_text=value; parses back to the same override
  Mark mark() const;                    // "command line"
};

// Throws kParse: the first line is the reason, in Hydra's words where there are some; the details repeat the override
// with a caret below the place, and a hint.
Override parse_override(std::string_view text);
std::vector<Override> parse_overrides(const std::vector<std::string>& texts);

}  // namespace roundtrip::hydra
