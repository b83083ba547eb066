// The right side of an override's `=`: a typed value or a sweep over values.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "hydra/tree/node.h"

namespace roundtrip::hydra {

struct Element;
struct ElementEntry;

struct Quoted {
  std::string text;  // without its quotes and escapes
  char quote = '\'';
};
struct ElementList {
  std::vector<Element> items;
};
struct ElementDict {
  std::vector<ElementEntry> items;  // keys that are equal in Python are merged
};
// a,b (simple) and choice(a,b).
struct Choice {
  std::vector<Element> values;
  bool simple = false, shuffle = false;
  std::vector<std::string> tags;
};
struct Range {
  std::variant<int64_t, double> start, stop, step;
  bool shuffle = false;
  std::vector<std::string> tags;
};
struct Interval {  // for optimising sweepers, which are not supported: it parses and is then refused
  double start = 0, end = 0;
  std::vector<std::string> tags;
};
struct Glob {  // over the options of a config group
  std::vector<std::string> include, exclude;
};
// zip(a=[1,2],b=[x,y]): members advance together. Not in Hydra; see hydra issue 1258.
struct Zip {
  std::vector<std::pair<std::string, std::vector<Element>>> members;
};

struct Element {
  using Value = std::variant<std::monostate, bool, int64_t, double, std::string, Quoted, ElementList, ElementDict,
                             Choice, Range, Interval, Glob, Zip>;
  Value value;

  bool is_sweep() const { return value.index() >= 8; }
  template <typename T>
  const T* get_if() const {
    return std::get_if<T>(&value);
  }
};

struct ElementEntry {
  Element key, value;
};

// Whether a list, a dict or a choice contains a sweep, where it does not sweep. Hydra reads a glob there as a dict
// of its two lists; other sweeps have no text there.
bool holds_sweep(const Element& element, bool globs_too);

// The value as a config node; `mark` becomes its origin. Throws kParse for a sweep,
// kType for a null key.
Node to_node(const Element& element, const Mark& mark = {});

// The text that parses back to an equal element: `a\,b`, `'x y'`, `[1,a]`, `{a:1}`, `True`. Sweeps have no such text
// in Hydra; here it is the call that creates them.
std::string to_text(const Element& element);

// The same for a part of a list, a dict or a choice, where a glob is the dict of its lists.
std::string part_text(const Element& element);

}  // namespace roundtrip::hydra
