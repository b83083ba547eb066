// The types of plain scalars: PyYAML's YAML 1.1 resolvers, and OmegaConf's wider float beside them.
#include "hydra/tree/yaml_scalar.h"

#include <charconv>
#include <cstdlib>

#include "base/error.h"
#include "base/text.h"
#include "hydra/tree/yaml.h"

namespace roundtrip::hydra {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Reads a text from left to right; each step says whether it took anything.
class Scan {
 public:
  explicit Scan(std::string_view text) : text_(text) {}

  bool done() const { return at_ == text_.size(); }
  bool take(std::string_view any_of) {
    if (done() || any_of.find(text_[at_]) == std::string_view::npos) return false;
    ++at_;
    return true;
  }
  bool take_all(std::string_view any_of) {
    const size_t from = at_;
    while (take(any_of)) {
    }
    return at_ > from;
  }
  bool take_text(std::string_view text) {
    if (text_.substr(at_, text.size()) != text) return false;
    at_ += text.size();
    return true;
  }
  bool digits() { return take_all("0123456789"); }
  // [0-9]+(_[0-9]+)*
  bool strict_digits() {
    if (!digits()) return false;
    while (at_ + 1 < text_.size() && text_[at_] == '_' && is_digit(text_[at_ + 1])) {
      ++at_;
      digits();
    }
    return true;
  }
  // [0-9][0-9_]*
  bool loose_digits() { return !done() && is_digit(text_[at_]) && take_all("0123456789_"); }
  // (:[0-5]?[0-9])+
  bool sexagesimal() {
    size_t groups = 0;
    while (take(":")) {
      if (done() || !is_digit(text_[at_])) return false;
      const bool two = text_[at_] < '6' && at_ + 1 < text_.size() && is_digit(text_[at_ + 1]);
      at_ += two ? 2 : 1;
      ++groups;
    }
    return groups > 0;
  }
  bool exponent(bool sign_required) {
    if (!take("eE")) return false;
    return (take("+-") || !sign_required) && digits();
  }

 private:
  std::string_view text_;
  size_t at_ = 0;
};

// One alternative of a pattern: tried from the start of `text`, must reach its end.
template <typename Pattern>
bool matches(std::string_view text, Pattern pattern) {
  Scan scan(text);
  return pattern(scan) && scan.done();
}

bool is_int(std::string_view text) {
  const std::string_view unsigned_text = !text.empty() && (text[0] == '+' || text[0] == '-') ? text.substr(1) : text;
  if (unsigned_text.empty() || !is_digit(unsigned_text[0])) return false;
  if (unsigned_text[0] != '0') {
    return matches(unsigned_text, [](Scan& s) {
      s.loose_digits();
      return s.done() || s.sexagesimal();
    });
  }
  return unsigned_text == "0" ||
         matches(unsigned_text, [](Scan& s) { return s.take_text("0b") && s.take_all("01_"); }) ||
         matches(unsigned_text, [](Scan& s) { return s.take_text("0x") && s.take_all("0123456789abcdefABCDEF_"); }) ||
         matches(unsigned_text, [](Scan& s) { return s.take_text("0") && s.take_all("01234567_"); });
}

bool is_float(std::string_view text) {
  if (text.empty()) return false;
  if (text == ".nan" || text == ".NaN" || text == ".NAN") return true;
  if (text[0] == '.' && text.size() > 1 && is_digit(text[1])) {
    return matches(text, [](Scan& s) {
      s.take(".");
      s.loose_digits();
      return s.done() || s.exponent(true);
    });
  }
  const std::string_view rest = text[0] == '+' || text[0] == '-' ? text.substr(1) : text;
  if (rest == ".inf" || rest == ".Inf" || rest == ".INF") return true;
  const auto with_point = [](bool strict) {
    return [strict](Scan& s) {
      if (!(strict ? s.strict_digits() : s.loose_digits()) || !s.take(".")) return false;
      s.take_all("0123456789_");
      return s.done() || s.exponent(!strict);
    };
  };
  return matches(rest, with_point(false)) || matches(rest, with_point(true)) ||
         matches(rest, [](Scan& s) { return s.strict_digits() && s.exponent(false); }) || matches(rest, [](Scan& s) {
           if (!s.loose_digits() || !s.sexagesimal() || !s.take(".")) return false;
           s.take_all("0123456789_");
           return true;
         });
}

[[noreturn]] void bad_number(std::string_view text, std::string_view what, const Mark& mark) {
  const std::string at = mark.text();
  throw Error(ErrorKind::kParse, fmt::format("{}{} '{}'", at.empty() ? "" : at + ": ", what, text.substr(0, 100)));
}

std::string without_underscores(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c != '_') out += c;
  }
  return out;
}

}  // namespace

int64_t construct_int(std::string_view text, const Mark& mark) {
  const std::string plain = without_underscores(text);
  std::string_view rest = plain;
  const bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) rest.remove_prefix(1);
  int base = 10;
  if (rest.starts_with("0b")) {
    base = 2;
    rest.remove_prefix(2);
  } else if (rest.starts_with("0x")) {
    base = 16;
    rest.remove_prefix(2);
  } else if (rest.size() > 1 && rest[0] == '0') {
    base = 8;
    if (rest[1] == 'o') rest.remove_prefix(2);  // only after !!int
  }
  // Negative values are gathered as such, so that the least int64 fits; __int128 holds every intermediate.
  __int128 value = 0;
  constexpr __int128 kMaxInt64 = std::numeric_limits<int64_t>::max();
  bool first = true;
  for (const std::string& group : split(rest, ':')) {
    uint64_t part = 0;
    const auto [end, failure] = std::from_chars(group.data(), group.data() + group.size(), part, base);
    if (failure == std::errc::invalid_argument || end != group.data() + group.size() || (!first && base != 10)) {
      bad_number(text, "not an integer:", mark);
    }
    value = value * 60 + part;
    if (failure == std::errc::result_out_of_range || value > kMaxInt64 + (negative ? 1 : 0)) {
      bad_number(text, "integers are limited to -9223372036854775808 .. 9223372036854775807; found", mark);
    }
    first = false;
  }
  return static_cast<int64_t>(negative ? -value : value);
}

double construct_float(std::string_view text, const Mark& mark) {
  std::string plain = without_underscores(text);
  for (char& c : plain) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  std::string_view rest = plain;
  const bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) rest.remove_prefix(1);
  if (rest == ".inf")
    return negative ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
  if (rest == ".nan") return std::numeric_limits<double>::quiet_NaN();
  double value = 0;
  for (const std::string& group : split(rest, ':')) {
    double part = 0;
    const auto [end, failure] = std::from_chars(group.data(), group.data() + group.size(), part);
    if (failure == std::errc::result_out_of_range) part = std::strtod(group.c_str(), nullptr);  // inf or 0, as Python
    if (failure == std::errc::invalid_argument || end != group.data() + group.size())
      bad_number(text, "not a float:", mark);
    value = value * 60 + part;
  }
  return negative ? -value : value;
}

bool construct_bool(std::string_view text, const Mark& mark) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  if (lower == "yes" || lower == "true" || lower == "on") return true;
  if (lower == "no" || lower == "false" || lower == "off") return false;
  bad_number(text, "not a bool:", mark);
}

Node plain_scalar(std::string_view text, const Mark& mark) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return Node::null(mark);
  for (const std::string_view word : {"yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON", "no", "No", "NO",
                                      "false", "False", "FALSE", "off", "Off", "OFF"}) {
    if (text == word) return Node(construct_bool(text, mark), mark);
  }
  if (is_int(text)) return Node(construct_int(text, mark), mark);
  if (is_float(text)) return Node(construct_float(text, mark), mark);
  return Node(std::string(text), mark);
}

}  // namespace roundtrip::hydra
