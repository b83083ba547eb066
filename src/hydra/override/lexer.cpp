#include "hydra/override/lexer.h"

#include <algorithm>

#include "base/error.h"

namespace roundtrip::hydra {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_id_start(char c) { return is_letter(c) || c == '_'; }
bool is_id_part(char c) { return is_letter(c) || is_digit(c) || c == '_' || c == '-'; }

// Each length_* returns the length of the token at the start of `s`; 0 without a match.

size_t length_blanks(std::string_view s) {
  return static_cast<size_t>(std::find_if_not(s.begin(), s.end(), is_blank) - s.begin());
}

size_t length_id(std::string_view s) {
  if (s.empty() || !is_id_start(s[0])) return 0;
  return static_cast<size_t>(std::find_if_not(s.begin(), s.end(), is_id_part) - s.begin());
}

size_t length_key_special(std::string_view s) {
  if (s.empty() || !(is_id_start(s[0]) || s[0] == '$')) return 0;
  return static_cast<size_t>(std::find_if_not(s.begin(), s.end(), [](char c) { return is_id_part(c) || c == '$'; }) -
                             s.begin());
}

// (_?[0-9])*
size_t length_more_digits(std::string_view s) {
  size_t k = 0;
  while (true) {
    if (k < s.size() && is_digit(s[k])) {
      k += 1;
    } else if (k + 1 < s.size() && s[k] == '_' && is_digit(s[k + 1])) {
      k += 2;
    } else {
      return k;
    }
  }
}

size_t length_unsigned(std::string_view s) {
  if (s.empty() || !is_digit(s[0])) return 0;
  return s[0] == '0' ? 1 : 1 + length_more_digits(s.substr(1));
}

size_t length_dot_path(std::string_view s) {
  const auto part = [](std::string_view rest) { return std::max(length_key_special(rest), length_unsigned(rest)); };
  size_t k = part(s);
  if (k == 0) return 0;
  bool dotted = false;
  while (k < s.size() && s[k] == '.') {
    const size_t more = part(s.substr(k + 1));
    if (more == 0) break;
    k += 1 + more;
    dotted = true;
  }
  return dotted ? k : 0;
}

size_t length_sign(std::string_view s) { return !s.empty() && (s[0] == '+' || s[0] == '-') ? 1 : 0; }

size_t length_int(std::string_view s) {
  const size_t sign = length_sign(s);
  const size_t digits = length_unsigned(s.substr(sign));
  return digits == 0 ? 0 : sign + digits;
}

bool same_word(std::string_view a, std::string_view lower) {
  return std::equal(a.begin(), a.end(), lower.begin(), lower.end(),
                    [](char x, char y) { return (x >= 'A' && x <= 'Z' ? x - 'A' + 'a' : x) == y; });
}

size_t length_word(std::string_view s, std::string_view lower) {
  return same_word(s.substr(0, lower.size()), lower) ? lower.size() : 0;
}

size_t length_float(std::string_view s) {
  const size_t sign = length_sign(s);
  const std::string_view rest = s.substr(sign);
  const size_t word = std::max(length_word(rest, "inf"), length_word(rest, "nan"));
  if (word > 0) return sign + word;
  const size_t whole = length_unsigned(rest);
  size_t point = 0;  // INT '.' or INT? '.' digits
  if (whole < rest.size() && rest[whole] == '.') {
    const std::string_view fraction = rest.substr(whole + 1);
    if (!fraction.empty() && is_digit(fraction[0])) {
      point = whole + 2 + length_more_digits(fraction.substr(1));
    } else if (whole > 0) {
      point = whole + 1;
    }
  }
  const size_t mantissa = std::max(whole, point);
  if (mantissa > 0 && mantissa < rest.size() && (rest[mantissa] == 'e' || rest[mantissa] == 'E')) {
    const size_t exponent = mantissa + 1 + length_sign(rest.substr(mantissa + 1));
    if (exponent < rest.size() && is_digit(rest[exponent])) {
      return sign + exponent + 1 + length_more_digits(rest.substr(exponent + 1));
    }
  }
  return point > 0 ? sign + point : 0;
}

size_t length_escapes(std::string_view s) {
  size_t k = 0;
  while (k + 1 < s.size() && s[k] == '\\' &&
         std::string_view("\\()[]{}:=, \t").find(s[k + 1]) != std::string_view::npos) {
    k += 2;
  }
  return k;
}

// Up to the first quote of the same kind that an even run of backslashes precedes.
size_t length_quoted(std::string_view s) {
  if (s.empty() || (s[0] != '"' && s[0] != '\'')) return 0;
  size_t backslashes = 0;
  for (size_t k = 1; k < s.size(); ++k) {
    if (s[k] == s[0] && backslashes % 2 == 0) return k + 1;
    backslashes = s[k] == '\\' ? backslashes + 1 : 0;
  }
  return 0;
}

size_t length_interpolation(std::string_view s) {
  if (!s.starts_with("${")) return 0;
  const size_t close = s.find('}', 2);
  return close == std::string_view::npos || close == 2 ? 0 : close + 1;
}

// Blanks, one mark, blanks: the mark decides which blanks belong to it.
size_t length_mark(std::string_view s, char mark, bool blanks_before, bool blanks_after) {
  size_t k = blanks_before ? length_blanks(s) : 0;
  if (k >= s.size() || s[k] != mark) return 0;
  ++k;
  return blanks_after ? k + length_blanks(s.substr(k)) : k;
}

}  // namespace

Token value_token(std::string_view text, size_t at) {
  const std::string_view s = text.substr(at);
  Token best{TokenKind::kEnd, {}, at};
  const auto offer = [&](TokenKind kind, size_t length) {
    if (length > best.text.size()) best = {kind, s.substr(0, length), at};
  };
  offer(TokenKind::kParenOpen, length_mark(s, '(', true, true));
  offer(TokenKind::kComma, length_mark(s, ',', true, true));
  offer(TokenKind::kParenClose, length_mark(s, ')', true, false));
  offer(TokenKind::kBracketOpen, length_mark(s, '[', false, true));
  offer(TokenKind::kBracketClose, length_mark(s, ']', true, false));
  offer(TokenKind::kBraceOpen, length_mark(s, '{', false, true));
  offer(TokenKind::kBraceClose, length_mark(s, '}', true, false));
  offer(TokenKind::kColon, length_mark(s, ':', true, true));
  offer(TokenKind::kEqual, length_mark(s, '=', true, true));
  offer(TokenKind::kFloat, length_float(s));
  offer(TokenKind::kInt, length_int(s));
  offer(TokenKind::kBool, std::max(length_word(s, "true"), length_word(s, "false")));
  offer(TokenKind::kNull, length_word(s, "null"));
  offer(TokenKind::kUnquotedChar, std::string_view("/-\\+.$%*@?|").find(s[0]) != std::string_view::npos ? 1 : 0);
  offer(TokenKind::kId, length_id(s));
  offer(TokenKind::kEscape, length_escapes(s));
  offer(TokenKind::kBlank, length_blanks(s));
  offer(TokenKind::kQuoted, length_quoted(s));
  offer(TokenKind::kInterpolation, length_interpolation(s));
  return best;
}

void OverrideLexer::unrecognized() {
  // A whole UTF-8 sequence, so that the message stays text.
  size_t length = 1;
  while (at_ + length < text_.size() && (static_cast<unsigned char>(text_[at_ + length]) & 0xC0) == 0x80) ++length;
  throw Error(ErrorKind::kParse, fmt::format("token recognition error at: '{}'", text_.substr(at_, length)));
}

Token OverrideLexer::next() {
  if (at_ >= text_.size()) return {TokenKind::kEnd, {}, text_.size()};
  const Token token = mode_ == Mode::kKey ? next_of_key() : value_token(text_, at_);
  if (token.text.empty()) unrecognized();
  at_ += token.text.size();
  if (token.kind == TokenKind::kEqual) mode_ = Mode::kValue;
  return token;
}

Token OverrideLexer::next_of_key() {
  const std::string_view s = text_.substr(at_);
  const auto token = [&](TokenKind kind, size_t length) { return Token{kind, s.substr(0, length), at_}; };
  switch (s[0]) {
    case '=':
      return token(TokenKind::kEqual, length_mark(s, '=', false, true));
    case '~':
      return token(TokenKind::kTilde, 1);
    case '+':
      return token(TokenKind::kPlus, 1);
    case '@':
      return token(TokenKind::kAt, 1);
    case ':':
      return token(TokenKind::kColon, 1);
    case '/':
      return token(TokenKind::kSlash, 1);
    default:
      break;
  }
  const size_t path = length_dot_path(s), special = length_key_special(s), id = length_id(s);
  if (path > special) return token(TokenKind::kDotPath, path);
  if (special > id) return token(TokenKind::kKeySpecial, special);
  if (id > 0) return token(TokenKind::kId, id);
  unrecognized();
}

}  // namespace roundtrip::hydra
