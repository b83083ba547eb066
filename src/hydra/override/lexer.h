// Tokens of the override grammar. The lexer has two modes: keys up to the first `=`, values after it. The longest match
// wins, and between equals the earlier rule of OverrideLexer.g4.
#pragma once

#include <string>
#include <string_view>

namespace roundtrip::hydra {

enum class TokenKind {
  kEnd,
  // keys
  kEqual,  // in values too
  kTilde,
  kPlus,
  kAt,
  kColon,  // in values too
  kSlash,
  kId,  // in values too
  kKeySpecial,
  kDotPath,
  // values
  kParenOpen,
  kComma,
  kParenClose,
  kBracketOpen,
  kBracketClose,
  kBraceOpen,
  kBraceClose,
  kFloat,
  kInt,
  kBool,
  kNull,
  kUnquotedChar,
  kEscape,
  kBlank,
  kQuoted,
  kInterpolation,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string_view text;  // with the blanks that belong to it
  size_t at = 0;
};

// The value token that starts at `at`; its text is empty where none starts. OmegaConf's interpolations share these
// tokens.
Token value_token(std::string_view text, size_t at);

class OverrideLexer {
 public:
  enum class Mode { kKey, kValue };

  OverrideLexer(std::string_view text, Mode mode) : text_(text), mode_(mode) {}

  // Throws kParse ("token recognition error at: 'x'"), and stores the place for error_at().
  Token next();
  size_t error_at() const { return at_; }

 private:
  Token next_of_key();
  [[noreturn]] void unrecognized();

  std::string_view text_;
  Mode mode_;
  size_t at_ = 0;
};

}  // namespace roundtrip::hydra
