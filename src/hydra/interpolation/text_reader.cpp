#include "hydra/interpolation/text_reader.h"

#include <algorithm>
#include <unordered_map>

#include "base/error.h"
#include "base/text.h"
#include "hydra/interpolation/limits.h"
#include "hydra/override/functions.h"
#include "hydra/tree/python_equal.h"

namespace roundtrip::hydra {
namespace {

bool is_id_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_id_part(char c) { return is_id_start(c) || (c >= '0' && c <= '9') || c == '-'; }

}  // namespace

void TextReader::fail(std::string_view what) const {
  throw Error(ErrorKind::kInterpolation, fmt::format("{} at character {} of '{}'", what.substr(0, kMaxShown), at_ + 1,
                                                     text_.substr(0, kMaxShown)));
}

Located TextReader::text(char quote) {
  std::optional<Located> only;
  std::string glued;
  size_t parts = 0;
  while (at_ < text_.size() && (quote == 0 || text_[at_] != quote)) {
    if (starts_interpolation()) {
      Located value = interpolation();
      if (++parts == 1) {
        only = std::move(value);
        continue;
      }
      append(glued, only);
      glue(glued, value);
    } else {
      const std::string plain = plain_text(quote);
      if (plain.empty()) continue;
      ++parts;
      append(glued, only);
      glued += plain;
    }
  }
  if (quote != 0) {
    if (at_ >= text_.size()) fail("a quote that is not closed");
    ++at_;
  }
  if (only) return *only;
  return {Node(glued), path_, true};
}

Located TextReader::element() {
  const DepthGuard guard(evaluator_.depth_, Evaluator::kMaxDepth);
  if (at_ < text_.size() && (text_[at_] == '\'' || text_[at_] == '"')) {
    const char quote = text_[at_++];
    return literal(Node(spelled(text(quote))));
  }
  switch (peek().kind) {
    case TokenKind::kBracketOpen: {
      take();
      Node::List items;
      for (const Located& item : sequence(TokenKind::kBracketClose)) items.push_back(part(item));
      return {Node(std::move(items)), path_, in_arguments_ == 0};
    }
    case TokenKind::kBraceOpen:
      return {dict(), path_, in_arguments_ == 0};
    default:
      return primitive(false);
  }
}

void TextReader::end() {
  if (at_ < text_.size()) fail(fmt::format("extraneous input '{}'", text_.substr(at_, 20)));
}

void TextReader::append(std::string& glued, std::optional<Located>& only) {
  if (!only) return;
  glue(glued, *only);
  only.reset();
}

void TextReader::glue(std::string& glued, const Located& value) {
  const std::string text = spelled(value);
  evaluator_.count_text(text.size());
  glued += text;
}

std::string TextReader::plain_text(char quote) {
  std::string out;
  while (at_ < text_.size() && !starts_interpolation() && (quote == 0 || text_[at_] != quote)) {
    if (text_[at_] != '\\') {
      out += text_[at_++];
      continue;
    }
    const size_t run_end = std::min(text_.find_first_not_of('\\', at_), text_.size());
    const size_t run = run_end - at_;
    at_ = run_end;
    const bool before_interpolation = starts_interpolation();
    const bool before_quote = quote != 0 && at_ < text_.size() && text_[at_] == quote;
    if (!before_interpolation && !before_quote) {
      out.append(run, '\\');
      continue;
    }
    out.append(run / 2, '\\');
    if (run % 2 == 0) break;
    out += before_interpolation ? "${" : std::string(1, quote);
    at_ += before_interpolation ? 2 : 1;
  }
  return out;
}

void TextReader::skip_blanks() {
  while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
}

Located TextReader::interpolation() {
  const DepthGuard guard(evaluator_.depth_, Evaluator::kMaxDepth);
  const size_t from = at_;
  at_ += 2;
  skip_blanks();
  std::string key;
  bool may_be_resolver = true;
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (starts_interpolation()) {
      const Located name = interpolation();
      if (!name.node.is_string()) {
        throw Error(ErrorKind::kInterpolation,
                    fmt::format("an interpolation inside a key must be a string; found {} of type {}", show(name.node),
                                kind_name(name.node.kind())));
      }
      evaluator_.count_text(name.node.as_string().size());
      key += name.node.as_string();
    } else if (c == '.' || c == '[' || c == ']') {
      may_be_resolver = may_be_resolver && c == '.';
      key += c;
      ++at_;
    } else if (c == ':' && may_be_resolver && is_resolver_name(key)) {
      ++at_;
      skip_blanks();
      ++in_arguments_;
      const std::vector<Located> arguments = sequence(TokenKind::kBraceClose);
      --in_arguments_;
      return syntax_only_ ? any_value() : call_resolver(evaluator_, key, arguments, path_);
    } else if (c == ' ' || c == '\t' || c == '}') {
      skip_blanks();
      if (c != '}' && at_ < text_.size() && text_[at_] == ':') continue;
      if (at_ >= text_.size() || text_[at_] != '}') fail("expected '}'");
      if (!is_key(key)) fail(fmt::format("no viable alternative at input '{}'", text_.substr(from, at_ + 1 - from)));
      ++at_;
      return syntax_only_ ? any_value() : reference(key);
    } else if (std::string_view("\\${}():'\"").find(c) != std::string_view::npos) {
      fail(fmt::format("no viable alternative at input '{}'", text_.substr(from, at_ + 1 - from)));
    } else {
      key += c;
      ++at_;
    }
  }
  fail(fmt::format("no viable alternative at input '{}'", text_.substr(from)));
}

bool TextReader::is_resolver_name(const std::string& name) {
  for (const std::string& part : split(name, '.')) {
    if (part.empty() || !is_id_start(part[0])) return false;
    for (const char c : part) {
      if (!is_id_part(c)) return false;
    }
  }
  return true;
}

bool TextReader::is_key(const std::string& key) {
  const size_t first = key.find_first_not_of('.');
  if (first == std::string::npos) return false;
  int open = 0;
  bool empty = true;
  for (size_t k = first; k < key.size(); ++k) {
    const char c = key[k];
    if (c == '[') {
      if (open++ > 0 || (empty && k != first)) return false;
      empty = true;
    } else if (c == ']') {
      if (--open < 0 || empty) return false;
    } else if (c == '.') {
      if (empty || open > 0) return false;
      empty = true;
    } else {
      if (k > first && key[k - 1] == ']') return false;
      empty = false;
    }
  }
  return open == 0 && !empty;
}

Located TextReader::reference(const std::string& key) {
  std::optional<Located> found = evaluator_.find(key, path_, true);
  if (!found) {
    throw Error(ErrorKind::kInterpolation, fmt::format("Interpolation key '{}' not found", key.substr(0, kMaxShown)));
  }
  if (!found->literal && found->node.is_missing()) throw_missing(key);
  if (found->node.is_container() && stands_in(found->path)) {
    throw Error(ErrorKind::kInterpolation,
                fmt::format("Interpolation to parent node detected: '{}'", key.substr(0, kMaxShown)));
  }
  return *found;
}

bool TextReader::stands_in(const Path& container) const {
  return container.size() < path_.size() && std::equal(container.begin(), container.end(), path_.begin());
}

Token TextReader::peek() const {
  if (at_ >= text_.size()) return {TokenKind::kEnd, {}, at_};
  Token token = value_token(text_, at_);
  const bool foreign = token.kind == TokenKind::kParenOpen || token.kind == TokenKind::kParenClose ||
                       token.kind == TokenKind::kEqual || token.kind == TokenKind::kQuoted ||
                       token.kind == TokenKind::kInterpolation || token.text.empty();
  if (foreign && !starts_interpolation()) fail(fmt::format("token recognition error at: '{}'", text_.substr(at_, 1)));
  return token;
}

Token TextReader::take() {
  const Token token = peek();
  at_ += token.text.size();
  return token;
}

std::vector<Located> TextReader::sequence(TokenKind close) {
  std::vector<Located> items;
  if (!quote_ahead() && !starts_interpolation() && peek().kind == close) {
    take();
    return items;
  }
  while (true) {
    const bool absent =
        !quote_ahead() && !starts_interpolation() && (peek().kind == TokenKind::kComma || peek().kind == close);
    items.push_back(absent ? literal(Node("")) : element());
    const Token token = take();
    if (token.kind == close) return items;
    if (token.kind != TokenKind::kComma) fail("expected ',' or a closing bracket");
  }
}

Node TextReader::dict() {
  take();
  Dict dict;
  std::unordered_map<std::string, Key> known;
  if (peek().kind == TokenKind::kBraceClose) {
    take();
    return Node(std::move(dict));
  }
  while (true) {
    const Node key = primitive(true).node;
    if (take().kind != TokenKind::kColon) fail("expected ':'");
    Node value = part(element());
    // As in a Python dict, keys that are equal (1 and true) are one: the first spelling, the last value.
    const auto [there, is_new] = known.emplace(python_key(key), Key(python_str(key), key.kind()));
    dict.set(there->second, std::move(value));
    const Token token = take();
    if (token.kind == TokenKind::kBraceClose) return Node(std::move(dict));
    if (token.kind != TokenKind::kComma) fail("expected ',' or '}'");
  }
}

Located TextReader::primitive(bool dict_key) {
  std::string glued;
  std::optional<Located> only;
  Token first;
  size_t parts = 0;
  bool all_blank = true;
  while (at_ < text_.size()) {
    if (starts_interpolation() && !dict_key) {
      only = interpolation();
      all_blank = false;
      glue(glued, *only);
      ++parts;
      continue;
    }
    if (quote_ahead()) break;
    const Token token = peek();
    if (!in_primitive(token.kind, dict_key)) break;
    at_ += token.text.size();
    all_blank = all_blank && token.kind == TokenKind::kBlank;
    only.reset();
    first = token;
    glued += token.kind == TokenKind::kEscape ? python_str(typed(token)) : std::string(token.text);
    ++parts;
  }
  if (parts == 0 || all_blank) fail("expected a value");
  if (parts > 1) return literal(Node(glued));
  return only ? *only : literal(typed(first));
}

bool TextReader::in_primitive(TokenKind kind, bool dict_key) {
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
      return !dict_key;
    default:
      return false;
  }
}

Node TextReader::typed(const Token& token) const {
  switch (token.kind) {
    case TokenKind::kNull:
      return Node();
    case TokenKind::kBool:
      return Node(token.text[0] == 't' || token.text[0] == 'T');
    case TokenKind::kInt:
    case TokenKind::kFloat: {
      const Element text{std::string(token.text)};
      try {
        return to_node(
            evaluate({token.kind == TokenKind::kInt ? "int" : "float", std::string(token.text), {text}, {}}));
      } catch (const Error& error) {
        throw Error(ErrorKind::kInterpolation, error.message());
      }
    }
    case TokenKind::kEscape: {
      std::string out;
      for (size_t k = 1; k < token.text.size(); k += 2) out += token.text[k];
      return Node(out);
    }
    default:
      return Node(std::string(token.text));
  }
}

}  // namespace roundtrip::hydra
