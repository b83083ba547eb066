#include "hydra/override/grammar.h"

#include <charconv>
#include <cstdlib>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "hydra/override/functions.h"
#include "hydra/tree/python_equal.h"

namespace roundtrip::hydra {
namespace {

constexpr std::string_view kElementStart =
    "{':', BRACKET_OPEN, BRACE_OPEN, FLOAT, INT, BOOL, NULL, UNQUOTED_CHAR, ID, ESC, WS, QUOTED_VALUE, INTERPOLATION}";

bool in_primitive(TokenKind kind, bool dict_key) {
  switch (kind) {
    case TokenKind::kId:
    case TokenKind::kNull:
    case TokenKind::kInt:
    case TokenKind::kFloat:
    case TokenKind::kBool:
    case TokenKind::kUnquotedChar:
    case TokenKind::kEscape:
    case TokenKind::kBlank:
      return true;
    case TokenKind::kColon:
    case TokenKind::kInterpolation:
      return !dict_key;
    default:
      return false;
  }
}

// Every second character: the escaped ones.
std::string without_backslashes(std::string_view escapes) {
  std::string out;
  for (size_t k = 1; k < escapes.size(); k += 2) out += escapes[k];
  return out;
}

// Backslashes count only in a run right before a quote of the same kind, the closing one included.
std::string unquoted(std::string_view token) {
  const char quote = token[0];
  std::string out;
  size_t backslashes = 0;
  for (const char c : token.substr(1)) {
    if (c == '\\') {
      ++backslashes;
      continue;
    }
    out.append(c == quote ? backslashes / 2 : backslashes, '\\');
    backslashes = 0;
    out += c;
  }
  out.pop_back();  // the closing quote
  return out;
}

std::string without(std::string_view text, char dropped) {
  std::string out;
  for (const char c : text) {
    if (c != dropped) out += c;
  }
  return out;
}

class Nested {
 public:
  explicit Nested(int& depth) : depth_(depth) { ++depth_; }
  ~Nested() { --depth_; }

 private:
  int& depth_;
};

}  // namespace

void OverrideGrammar::fail(std::string message, size_t at) {
  error_at_ = at;
  throw Error(ErrorKind::kParse, std::move(message));
}

const Token& OverrideGrammar::peek(size_t ahead) {
  while (ahead_.size() <= ahead) {
    try {
      ahead_.push_back(lexer_.next());
    } catch (const Error&) {
      error_at_ = lexer_.error_at();
      failed_in_lexer_ = true;
      throw;
    }
  }
  return ahead_[ahead];
}

Token OverrideGrammar::take() {
  const Token token = peek();
  ahead_.pop_front();
  // Like ANTLR's token stream, read the next token at once: a bad one is an error even where a rule would not read it.
  if (token.kind != TokenKind::kEnd) peek();
  return token;
}

bool OverrideGrammar::take_if(TokenKind kind) {
  if (peek().kind != kind) return false;
  take();
  return true;
}

void OverrideGrammar::unexpected(std::string_view expecting) {
  const Token token = peek();
  const std::string text = token.kind == TokenKind::kEnd ? "<EOF>" : std::string(token.text);
  // ANTLR has two wordings: a token is extraneous where dropping it would be enough.
  const bool extraneous = expecting == "<EOF>" && token.kind != TokenKind::kEnd && peek(1).kind == TokenKind::kEnd;
  fail(fmt::format("{} input '{}' expecting {}", extraneous ? "extraneous" : "mismatched", text, expecting), token.at);
}

Token OverrideGrammar::expect(TokenKind kind, std::string_view name) {
  if (peek().kind != kind) unexpected(name);
  return take();
}

Override OverrideGrammar::override() {
  Override result;
  if (take_if(TokenKind::kTilde)) {
    result.type = Override::Type::kDelete;
  } else if (take_if(TokenKind::kPlus)) {
    result.type = take_if(TokenKind::kPlus) ? Override::Type::kForceAdd : Override::Type::kAdd;
  }
  KeyParts parts = key();
  result.key = std::move(parts.key);
  result.package = std::move(parts.package);
  const bool equal = take_if(TokenKind::kEqual);
  if (!equal && result.type != Override::Type::kDelete) {
    const Token& token = peek();
    fail(fmt::format("missing EQUAL at '{}'", token.kind == TokenKind::kEnd ? "<EOF>" : token.text), token.at);
  }
  if (equal) result.value = peek().kind == TokenKind::kEnd ? Element{std::string()} : value();
  if (peek().kind != TokenKind::kEnd) unexpected("<EOF>");
  return result;
}

OverrideGrammar::KeyParts OverrideGrammar::key() {
  KeyParts parts;
  parts.key = package_or_group();
  if (take_if(TokenKind::kAt)) parts.package = package();
  return parts;
}

std::string OverrideGrammar::package_or_group() {
  // Groups consist of plain names, without dots or $.
  const bool may_be_group = peek().kind == TokenKind::kId;
  std::string text = package();
  while (may_be_group && take_if(TokenKind::kSlash)) {
    const Token part = expect(TokenKind::kId, "ID");
    text += "/" + std::string(part.text);
  }
  return text;
}

std::string OverrideGrammar::package() {
  const TokenKind kind = peek().kind;
  const bool named = kind == TokenKind::kId || kind == TokenKind::kKeySpecial || kind == TokenKind::kDotPath;
  if (named) return std::string(take().text);
  // The empty package, which only these may follow.
  if (kind == TokenKind::kEnd || kind == TokenKind::kEqual || kind == TokenKind::kAt) return {};
  fail(fmt::format("no viable alternative at input '{}'", peek().text), peek().at);
}

Element OverrideGrammar::value() {
  const size_t at = peek().at;
  Element first = element();
  if (peek().kind != TokenKind::kComma) return first;
  if (first.get_if<Zip>() != nullptr) fail("zip cannot be part of a choice", at);
  Choice choice{{std::move(first)}, true, false, {}};
  while (take_if(TokenKind::kComma)) choice.values.push_back(element());
  return {choice};
}

Element OverrideGrammar::simple_choice() {
  Choice choice{{element()}, true, false, {}};
  if (peek().kind != TokenKind::kComma) unexpected("COMMA");
  while (take_if(TokenKind::kComma)) choice.values.push_back(element());
  return {choice};
}

Element OverrideGrammar::element() {
  const Nested nested(depth_);
  if (depth_ > kMaxDepth) fail(fmt::format("nested deeper than {} levels", kMaxDepth), peek().at);
  switch (peek().kind) {
    case TokenKind::kBracketOpen:
      return list();
    case TokenKind::kBraceOpen:
      return dict();
    case TokenKind::kId:
      return peek(1).kind == TokenKind::kParenOpen ? function() : primitive();
    default:
      return primitive();
  }
}

Element OverrideGrammar::primitive() {
  if (peek().kind == TokenKind::kQuoted) {
    const Token token = take();
    return {Quoted{unquoted(token.text), token.text[0]}};
  }
  return glued(false);
}

Element OverrideGrammar::list() {
  expect(TokenKind::kBracketOpen, "BRACKET_OPEN");
  ElementList list;
  if (take_if(TokenKind::kBracketClose)) return {list};
  do {
    list.items.push_back(element());
  } while (take_if(TokenKind::kComma));
  expect(TokenKind::kBracketClose, "{COMMA, BRACKET_CLOSE}");
  return {list};
}

Element OverrideGrammar::dict() {
  expect(TokenKind::kBraceOpen, "BRACE_OPEN");
  ElementDict dict;
  std::unordered_map<std::string, size_t> known;
  if (take_if(TokenKind::kBraceClose)) return {dict};
  do {
    Element key = glued(true);
    expect(TokenKind::kColon, "':'");
    Element item = element();
    // As in a Python dict, keys that are equal (1 and true) are one: the first spelling, the last value.
    const auto [there, is_new] = known.emplace(python_key(to_node(key)), dict.items.size());
    if (is_new) {
      dict.items.push_back({std::move(key), std::move(item)});
    } else {
      dict.items[there->second].value = std::move(item);
    }
  } while (take_if(TokenKind::kComma));
  expect(TokenKind::kBraceClose, "{COMMA, BRACE_CLOSE}");
  return {dict};
}

Element OverrideGrammar::function() {
  const size_t from = peek().at;
  Call call;
  call.name = std::string(expect(TokenKind::kId, "ID").text);
  expect(TokenKind::kParenOpen, "POPEN");
  bool misplaced = false;
  if (peek().kind != TokenKind::kParenClose) {
    do {
      if (peek().kind == TokenKind::kId && peek(1).kind == TokenKind::kEqual) {
        std::string name(take().text);
        take();
        call.named.emplace_back(std::move(name), element());
      } else {
        misplaced = misplaced || !call.named.empty();
        call.positional.push_back(element());
      }
    } while (take_if(TokenKind::kComma));
  }
  const Token close = expect(TokenKind::kParenClose, "{COMMA, PCLOSE}");
  error_at_ = from;
  if (misplaced) fail("positional argument follows keyword argument", from);
  call.text = std::string(text_.substr(from, close.at + close.text.size() - from));
  return evaluate(std::move(call));
}

// One token keeps its type; several are glued to a string. Blanks at both ends are ignored.
Element OverrideGrammar::glued(bool in_dict_key) {
  if (!in_primitive(peek().kind, in_dict_key)) unexpected(kElementStart);
  std::vector<Token> tokens;
  while (in_primitive(peek().kind, in_dict_key)) tokens.push_back(take());
  const size_t at = tokens.front().at;
  if (tokens.front().kind == TokenKind::kBlank) tokens.erase(tokens.begin());
  if (!tokens.empty() && tokens.back().kind == TokenKind::kBlank) tokens.pop_back();
  if (tokens.empty()) fail("Trying to parse a primitive that is all whitespaces", at);
  if (tokens.size() == 1) return typed(tokens[0]);
  std::string text;
  for (const Token& token : tokens) {
    text += token.kind == TokenKind::kEscape ? without_backslashes(token.text) : std::string(token.text);
  }
  return {text};
}

Element OverrideGrammar::typed(const Token& token) {
  switch (token.kind) {
    case TokenKind::kNull:
      return {std::monostate{}};
    case TokenKind::kBool:
      return {token.text[0] == 't' || token.text[0] == 'T'};
    case TokenKind::kEscape:
      return {without_backslashes(token.text)};
    case TokenKind::kInt: {
      const std::string digits = without(without(token.text, '_'), '+');
      int64_t n = 0;
      if (std::from_chars(digits.data(), digits.data() + digits.size(), n).ec != std::errc{}) {
        fail(fmt::format("found the integer {}; expected one between -9223372036854775808 and 9223372036854775807 "
                         "(quote it if it is text)",
                         token.text),
             token.at);
      }
      return {n};
    }
    case TokenKind::kFloat:
      return {std::strtod(without(token.text, '_').c_str(), nullptr)};
    default:
      return {std::string(token.text)};
  }
}

}  // namespace roundtrip::hydra
