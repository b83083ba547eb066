#include "config/type.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/error.h"
#include "base/text.h"

namespace roundtrip::config {

using hydra::Node;
namespace {

using Converted = std::optional<Node>;

std::string not_converted(const Node& value, std::string_view type) {
  return fmt::format("Value {} of type '{}' could not be converted to {}", show(value), kind_name(value.kind()), type);
}

std::optional<std::string> number_text(const Node& value) {
  if (!value.is_string()) return std::nullopt;
  std::string out;
  for (const char c : trim(value.as_string())) {
    if (c != '_') out += c;
  }
  if (!out.empty() && out[0] == '+') out.erase(0, 1);
  return out;
}

Converted to_int(const Node& value, std::string& why) {
  if (value.kind() == Node::Kind::kInt) return value;
  if (const auto text = number_text(value); text && !text->empty()) {
    int64_t n = 0;
    const auto [end, failure] = std::from_chars(text->data(), text->data() + text->size(), n);
    if (failure == std::errc{} && end == text->data() + text->size()) return Node(n, value.mark());
  }
  why = not_converted(value, "Integer");
  return std::nullopt;
}

Converted to_float(const Node& value, std::string& why) {
  if (value.kind() == Node::Kind::kFloat) return value;
  if (value.kind() == Node::Kind::kInt) return Node(value.as_float(), value.mark());
  if (const auto text = number_text(value); text && !text->empty()) {
    double x = 0;
    const auto [end, failure] = std::from_chars(text->data(), text->data() + text->size(), x);
    if (failure == std::errc{} && end == text->data() + text->size()) return Node(x, value.mark());
  }
  why = not_converted(value, "Float");
  return std::nullopt;
}

// Accepts words in any case; of integers only 0 and 1, where OmegaConf accepts any.
Converted to_bool(const Node& value, std::string& why) {
  if (value.kind() == Node::Kind::kBool) return value;
  if (value.kind() == Node::Kind::kInt && (value.as_int() == 0 || value.as_int() == 1)) {
    return Node(value.as_int() == 1, value.mark());
  }
  if (value.is_string()) {
    std::string lower = value.as_string();
    for (char& c : lower) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    for (const std::string_view word : {"yes", "y", "on", "true", "1"}) {
      if (lower == word) return Node(true, value.mark());
    }
    for (const std::string_view word : {"no", "n", "off", "false", "0"}) {
      if (lower == word) return Node(false, value.mark());
    }
  }
  why = fmt::format("Value {} is not a valid bool (type {})", show(value), kind_name(value.kind()));
  return std::nullopt;
}

Converted to_string(const Node& value, std::string& why) {
  if (value.is_string()) return value;
  if (!value.is_container() && !value.is_null()) return Node(python_str(value), value.mark());
  why = not_converted(value, "String");
  return std::nullopt;
}

std::string end_text(double end, bool integer) {
  return integer ? std::to_string(static_cast<int64_t>(end)) : python_repr(end);
}

}  // namespace

Type Type::one_of(std::vector<std::string> choices) {
  Type type(Kind::kEnum);
  type.choices_ = std::move(choices);
  return type;
}

Type Type::list(Type element) {
  Type type(Kind::kList);
  type.members_.push_back(std::move(element));
  return type;
}

Type Type::dict(Type element) {
  Type type(Kind::kDict);
  type.members_.push_back(std::move(element));
  return type;
}

Type Type::any_of(std::vector<Type> members) {
  Type type(Kind::kUnion);
  type.members_ = std::move(members);
  return type;
}

Type Type::range(double min, double max) const { return this->min(min).max(max); }

Type Type::min(double min) const {
  Type type = *this;
  type.min_ = min;
  return type;
}

Type Type::max(double max) const {
  Type type = *this;
  type.max_ = max;
  return type;
}

Type Type::above(double min) const {
  Type type = this->min(min);
  type.open_min_ = true;
  return type;
}

Type Type::size(size_t length) const {
  Type type = *this;
  type.length_ = length;
  return type;
}

Type Type::at_least(size_t length) const {
  Type type = *this;
  type.min_length_ = length;
  return type;
}

Type Type::or_null() const {
  Type type = *this;
  type.nullable_ = true;
  return type;
}

bool Type::in_range(double value) const {
  // NaN is allowed only where there is no range.
  const bool bounded = std::isfinite(min_) || std::isfinite(max_);
  if (!bounded) return true;
  return (open_min_ ? value > min_ : value >= min_) && value <= max_;
}

std::string Type::range_text() const {
  const bool integer = kind_ == Kind::kInt;
  if (std::isfinite(min_) && std::isfinite(max_)) {
    return fmt::format(" in {}{}, {}]", open_min_ ? "(" : "[", end_text(min_, integer), end_text(max_, integer));
  }
  if (std::isfinite(min_)) return fmt::format(" {} {}", open_min_ ? "above" : "of at least", end_text(min_, integer));
  if (std::isfinite(max_)) return fmt::format(" of at most {}", end_text(max_, integer));
  return "";
}

std::string Type::text() const {
  std::string text;
  switch (kind_) {
    case Kind::kInt:
      text = "int" + range_text();
      break;
    case Kind::kFloat:
      text = "float" + range_text();
      break;
    case Kind::kBool:
      text = "bool";
      break;
    case Kind::kString:
      text = "str";
      break;
    case Kind::kPath:
      text = "path";
      break;
    case Kind::kEnum:
      text = "one of [" + join(choices_, ", ") + "]";
      break;
    case Kind::kList:
      text = fmt::format("list of {}{}", length_ ? fmt::format("{} x ", *length_) : "", members_[0].text());
      if (min_length_ > 0) text += fmt::format(", at least {}", min_length_);
      break;
    case Kind::kDict:
      text = "dict of " + members_[0].text();
      break;
    case Kind::kUnion: {
      std::vector<std::string> parts;
      for (const Type& member : members_) parts.push_back(member.text());
      text = join(parts, " or ");
      break;
    }
    case Kind::kAny:
      text = "any value";
      break;
  }
  return nullable_ ? text + " or null" : text;
}

std::vector<std::string> Type::words() const {
  std::vector<std::string> words = choices_;
  if (kind_ == Kind::kBool) words = {"true", "false"};
  if (kind_ == Kind::kUnion || kind_ == Kind::kList) {
    for (const Type& member : members_) {
      const std::vector<std::string> more = member.words();
      words.insert(words.end(), more.begin(), more.end());
    }
  }
  if (nullable_) words.emplace_back("null");
  return words;
}

std::optional<Node> Type::convert(const Node& value, std::string& why) const {
  if (kind_ == Kind::kAny) return value;
  if (value.is_null()) {
    const bool allowed = nullable_ || (kind_ == Kind::kUnion && std::any_of(members_.begin(), members_.end(),
                                                                            [](const Type& m) { return m.nullable_; }));
    if (allowed) return value;
    why = "Incompatible value 'None' for a field that is not Optional";
    return std::nullopt;
  }
  switch (kind_) {
    case Kind::kInt:
    case Kind::kFloat: {
      Converted number = kind_ == Kind::kInt ? to_int(value, why) : to_float(value, why);
      if (number && !in_range(number->as_float())) {
        why.clear();  // the range is part of text()
        return std::nullopt;
      }
      return number;
    }
    case Kind::kBool:
      return to_bool(value, why);
    case Kind::kString:
    case Kind::kPath:
      return to_string(value, why);
    case Kind::kEnum: {
      Converted text = to_string(value, why);
      if (text && std::find(choices_.begin(), choices_.end(), text->as_string()) != choices_.end()) return text;
      why = fmt::format("Invalid value {}, expected one of [{}]{}", show(value), join(choices_, ", "),
                        text ? did_you_mean(text->as_string(), choices_) : "");
      return std::nullopt;
    }
    case Kind::kList:
      return convert_list(value, why);
    case Kind::kDict:
      return convert_dict(value, why);
    case Kind::kUnion:
      return convert_union(value, why);
    default:
      return value;
  }
}

std::optional<Node> Type::convert_list(const Node& value, std::string& why) const {
  if (!value.is_list()) {
    why = fmt::format("Invalid value assigned: {} is not a ListConfig, list or tuple.", kind_name(value.kind()));
    return std::nullopt;
  }
  if ((length_ && value.list().size() != *length_) || value.list().size() < min_length_) {
    why = fmt::format("a list of {}", value.list().size());
    return std::nullopt;
  }
  Node result = value;
  for (size_t k = 0; k < value.list().size(); ++k) {
    const Node& item = value.list()[k];
    Converted converted = members_[0].convert(item, why);
    if (!converted) {
      why = fmt::format("item {}: {}", k, why);
      return std::nullopt;
    }
    if (converted->identity() != item.identity()) result.mutable_list()[k] = std::move(*converted);
  }
  return result;
}

std::optional<Node> Type::convert_dict(const Node& value, std::string& why) const {
  if (!value.is_dict()) {
    why = fmt::format("Invalid value assigned: {} is not a dict", kind_name(value.kind()));
    return std::nullopt;
  }
  Node result = value;
  for (const auto& entry : value.dict()) {
    Converted converted = members_[0].convert(entry.value, why);
    if (!converted) {
      why = fmt::format("key '{}': {}", entry.key().text, why);
      return std::nullopt;
    }
    if (converted->identity() != entry.value.identity())
      result.mutable_dict().set(entry.shared_key, std::move(*converted));
  }
  return result;
}

std::optional<Node> Type::convert_union(const Node& value, std::string& why) const {
  // A member that accepts the value unchanged precedes one that converts it.
  std::optional<Node> converted;
  for (const Type& member : members_) {
    std::string reason;
    std::optional<Node> taken = member.convert(value, reason);
    if (taken && taken->kind() == value.kind()) return taken;
    if (taken && !converted) converted = std::move(taken);
    if (!taken && why.empty()) why = reason;
  }
  return converted;
}

}  // namespace roundtrip::config
