// The rules of OverrideParser.g4 by recursive descent. Each method reads its rule from the front of the text and leaves
// the rest unread; only override() requires the end.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "hydra/override/element.h"
#include "hydra/override/lexer.h"
#include "hydra/override/override.h"

namespace roundtrip::hydra {

class OverrideGrammar {
 public:
  struct KeyParts {
    std::string key;
    std::optional<std::string> package;
  };

  OverrideGrammar(std::string_view text, OverrideLexer::Mode mode) : text_(text), lexer_(text, mode) {}

  // All throw kParse with the bare reason; error_at() is then the offset of the offending text.
  Override override();
  KeyParts key();
  std::string package_or_group();
  std::string package();
  Element value();
  Element simple_choice();
  Element element();
  Element primitive();
  Element list();
  Element dict();
  Element function();

  size_t error_at() const { return error_at_; }
  bool failed_in_lexer() const { return failed_in_lexer_; }

 private:
  // Recursion is bounded: deep trees do not belong on a command line.
  static constexpr int kMaxDepth = 100;

  const Token& peek(size_t ahead = 0);
  Token take();
  Token expect(TokenKind kind, std::string_view name);
  bool take_if(TokenKind kind);
  [[noreturn]] void unexpected(std::string_view expecting);
  [[noreturn]] void fail(std::string message, size_t at);
  Element glued(bool in_dict_key);
  Element typed(const Token& token);

  std::string_view text_;
  OverrideLexer lexer_;
  std::deque<Token> ahead_;
  int depth_ = 0;
  size_t error_at_ = 0;
  bool failed_in_lexer_ = false;
};

}  // namespace roundtrip::hydra
