#include "hydra/tree/python_equal.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"

namespace roundtrip::hydra {

bool python_equal(const Node& a, const Node& b) {
  const auto number = [](const Node& node) {
    return node.kind() == Node::Kind::kBool || node.kind() == Node::Kind::kInt || node.kind() == Node::Kind::kFloat;
  };
  const auto value = [](const Node& node) {
    return node.kind() == Node::Kind::kBool ? static_cast<double>(node.as_bool()) : node.as_float();
  };
  if (number(a) && number(b)) {
    if (a.kind() == Node::Kind::kInt && b.kind() == Node::Kind::kInt) return a.as_int() == b.as_int();
    return value(a) == value(b);
  }
  if (a.kind() != b.kind()) return false;
  if (a.is_list()) {
    return std::equal(a.list().begin(), a.list().end(), b.list().begin(), b.list().end(),
                      [](const Node& x, const Node& y) { return python_equal(x, y); });
  }
  if (a.is_dict()) {  // in any order
    if (a.dict().size() != b.dict().size()) return false;
    return std::all_of(a.dict().begin(), a.dict().end(), [&](const auto& entry) {
      const Node* other = b.dict().find(entry.key().text);
      return other != nullptr && python_equal(entry.value, *other);
    });
  }
  return a == b;
}

std::string python_key(const Node& scalar) {
  constexpr double kPastInt64 = 9223372036854775808.0;
  switch (scalar.kind()) {
    case Node::Kind::kBool:
      return scalar.as_bool() ? "1" : "0";
    case Node::Kind::kInt:
      return std::to_string(scalar.as_int());
    case Node::Kind::kFloat: {
      const double x = scalar.as_float();
      const bool is_int = x == std::trunc(x) && x >= -kPastInt64 && x < kPastInt64;
      return is_int ? std::to_string(static_cast<int64_t>(x)) : python_repr(x);
    }
    case Node::Kind::kString:
      return "'" + scalar.as_string();
    default:
      return "";
  }
}

}  // namespace roundtrip::hydra
