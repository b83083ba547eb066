#include "hydra/interpolation/evaluator.h"

#include <algorithm>
#include <unordered_map>

#include "base/error.h"
#include "base/text.h"
#include "hydra/override/functions.h"
#include "hydra/override/lexer.h"
#include "hydra/tree/python_equal.h"

namespace roundtrip::hydra {
namespace {

constexpr size_t kMostShown = 200;  // of a text that is in error

[[noreturn]] void grammar_error(std::string_view what, std::string_view text, size_t at) {
  throw Error(ErrorKind::kInterpolation, fmt::format("{} at character {} of '{}'", what.substr(0, kMostShown), at + 1,
                                                     text.substr(0, kMostShown)));
}

[[noreturn]] void missing(const std::string& key) {
  throw Error(ErrorKind::kMissing,
              fmt::format("MissingMandatoryValue while resolving interpolation: Missing mandatory value: {}",
                          key.substr(0, kMostShown)));
}

bool is_id_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_id_part(char c) { return is_id_start(c) || (c >= '0' && c <= '9') || c == '-'; }

class Deeper {
 public:
  Deeper(int& depth, int most) : depth_(depth) {
    if (++depth_ > most) {
      --depth_;
      throw Error(ErrorKind::kInterpolation,
                  fmt::format("Recursive interpolation detected: deeper than {} levels", most));
    }
  }
  ~Deeper() { --depth_; }

 private:
  int& depth_;
};

Path path_of(const std::string& text) { return split_path(text); }

}  // namespace

std::string path_text(const Path& path) { return join(path, "."); }

// Recursive descent over one text. Every method leaves `at_` behind what it read.
class TextReader {
 public:
  // A reader with `syntax_only` reads without evaluating: what does not parse is to fail before anything is looked up.
  TextReader(Evaluator& evaluator, std::string_view text, const Path& path, bool syntax_only)
      : evaluator_(evaluator), text_(text), path_(path), syntax_only_(syntax_only) {}

  // The rule `text`, up to the closing `quote` (or the end where that is 0).
  Located text(char quote) {
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

  // The rule `element`.
  Located element() {
    const Deeper deeper(evaluator_.depth_, Evaluator::kMaxDepth);
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

  void end() {
    if (at_ < text_.size()) fail(fmt::format("extraneous input '{}'", text_.substr(at_, 20)));
  }

 private:
  [[noreturn]] void fail(std::string_view what) const { grammar_error(what, text_, at_); }

  Located literal(Node node) const { return {std::move(node), path_, true}; }

  // A value inside a list or a dict. Resolvers get containers with their interpolations unread, as OmegaConf does.
  Node part(const Located& value) { return in_arguments_ > 0 ? value.node : evaluator_.resolved(value); }

  bool starts_interpolation() const { return text_.substr(at_, 2) == "${"; }

  void append(std::string& glued, std::optional<Located>& only) {
    if (!only) return;
    glue(glued, *only);
    only.reset();
  }

  void glue(std::string& glued, const Located& value) {
    const std::string text = spelled(value);
    evaluator_.count_text(text.size());
    glued += text;
  }

  // What Python's str() makes of a value inside a text. Containers show their interpolations unread, as OmegaConf does.
  static std::string spelled(const Located& value) { return python_str(value.node); }

  // Text up to the next interpolation or quote. Backslashes count only in a run right before one of those.
  std::string plain_text(char quote) {
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

  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
  }

  // ${key}, ${.key}, ${a[b].c} or ${resolver:arguments}.
  Located interpolation() {
    const Deeper deeper(evaluator_.depth_, Evaluator::kMaxDepth);
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
                      fmt::format("an interpolation inside a key must be a string; found {} of type {}",
                                  show(name.node), kind_name(name.node.kind())));
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

  // Stands for a value that was not looked up; a key or a resolver's name may be made of it.
  Located any_value() const { return {Node("x"), path_, true}; }

  static bool is_resolver_name(const std::string& name) {
    for (const std::string& part : split(name, '.')) {
      if (part.empty() || !is_id_start(part[0])) return false;
      for (const char c : part) {
        if (!is_id_part(c)) return false;
      }
    }
    return true;
  }

  // Dots, then keys with single dots or brackets between.
  static bool is_key(const std::string& key) {
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

  Located reference(const std::string& key) {
    std::optional<Located> found = evaluator_.find(key, path_, true);
    if (!found) {
      throw Error(ErrorKind::kInterpolation,
                  fmt::format("Interpolation key '{}' not found", key.substr(0, kMostShown)));
    }
    if (!found->literal && found->node.is_missing()) missing(key);
    if (found->node.is_container() && stands_in(found->path)) {
      throw Error(ErrorKind::kInterpolation,
                  fmt::format("Interpolation to parent node detected: '{}'", key.substr(0, kMostShown)));
    }
    return *found;
  }

  bool stands_in(const Path& container) const {
    return container.size() < path_.size() && std::equal(container.begin(), container.end(), path_.begin());
  }

  Token peek() const {
    if (at_ >= text_.size()) return {TokenKind::kEnd, {}, at_};
    Token token = value_token(text_, at_);
    const bool foreign = token.kind == TokenKind::kParenOpen || token.kind == TokenKind::kParenClose ||
                         token.kind == TokenKind::kEqual || token.kind == TokenKind::kQuoted ||
                         token.kind == TokenKind::kInterpolation || token.text.empty();
    if (foreign && !starts_interpolation()) fail(fmt::format("token recognition error at: '{}'", text_.substr(at_, 1)));
    return token;
  }
  Token take() {
    const Token token = peek();
    at_ += token.text.size();
    return token;
  }

  // Elements between commas up to `close`; an absent one is the empty string.
  std::vector<Located> sequence(TokenKind close) {
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

  bool quote_ahead() const { return at_ < text_.size() && (text_[at_] == '\'' || text_[at_] == '"'); }

  Node dict() {
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

  Located primitive(bool dict_key) {
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

  static bool in_primitive(TokenKind kind, bool dict_key) {
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

  // The same typing as on the command line; only escapes are this grammar's own.
  Node typed(const Token& token) const {
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

  Evaluator& evaluator_;
  std::string_view text_;
  const Path& path_;
  bool syntax_only_;
  size_t at_ = 0;
  int in_arguments_ = 0;  // how many calls of resolvers are open
};

void Evaluator::check_syntax(std::string_view text) {
  const Path nowhere;
  TextReader(*this, text, nowhere, true).text(0);
}

Located Evaluator::text(std::string_view text, const Path& path) {
  check_syntax(text);
  return TextReader(*this, text, path, false).text(0);
}

Node Evaluator::element(std::string_view text, const Path& path) {
  Node value;
  for (const bool syntax_only : {true, false}) {
    TextReader reader(*this, text, path, syntax_only);
    value = resolved(reader.element());
    reader.end();
  }
  return value;
}

void Evaluator::count(size_t nodes) {
  nodes_ += nodes;
  if (nodes_ > kMaxNodes) {
    throw Error(ErrorKind::kInterpolation, fmt::format("interpolations make more than {} values", kMaxNodes));
  }
}

void Evaluator::count_text(size_t bytes) {
  text_ += bytes;
  if (text_ > kMaxText) throw Error(ErrorKind::kInterpolation, "interpolations make more than 1 MiB of text");
}

Node Evaluator::resolved(const Node& node, const Path& path) {
  if (!node.needs_resolving()) return node;
  const Deeper deeper(depth_, kMaxDepth);
  if (node.is_string()) return resolved_interpolation(node, path);
  count(1);
  Path below = path;
  below.emplace_back();
  Node result = node;
  if (node.is_list()) {
    for (size_t k = 0; k < node.list().size(); ++k) {
      if (!node.list()[k].needs_resolving()) continue;
      below.back() = std::to_string(k);
      Node item = resolved(node.list()[k], below);
      result.mutable_list()[k] = std::move(item);
    }
    return result;
  }
  for (const auto& entry : node.dict()) {
    if (!entry.value.needs_resolving()) continue;
    below.back() = entry.key().text;
    Node value = resolved(entry.value, below);
    result.mutable_dict().set(entry.shared_key, std::move(value));
  }
  return result;
}

Node Evaluator::resolved_interpolation(const Node& node, const Path& path) {
  const std::string at = path_text(path);
  if (const auto known = known_.find(at); known != known_.end()) {
    count(known->second.second);
    return known->second.first;
  }
  if (!open_.insert(at).second) {
    throw Error(ErrorKind::kInterpolation, "Recursive interpolation detected",
                fmt::format("  {} ({}): {}", at, node.mark().text(), show(node)));
  }
  const size_t before = nodes_;
  try {
    const Located value = text(node.as_string(), path);
    Node result = resolved(value).with_mark(node.mark());
    open_.erase(at);
    count(1);
    known_[at] = {result, nodes_ - before};
    return result;
  } catch (const Error& error) {
    open_.erase(at);
    throw Error(error.kind(), error.message(),
                fmt::format("{}{}  {}{}: {}", error.details(), error.details().empty() ? "" : "\n", at,
                            node.mark().known() ? " (" + node.mark().text() + ")" : "", show(node)));
  }
}

// Goes on through interpolations until something else is reached.
Located Evaluator::follow(Located at) {
  if (at.literal || !at.node.is_interpolation()) return at;
  const Deeper deeper(depth_, kMaxDepth);
  const std::string where = path_text(at.path);
  if (const auto known = followed_.find(where); known != followed_.end() && known->second.first == at.node) {
    return known->second.second;
  }
  if (!open_.insert(where).second) throw Error(ErrorKind::kInterpolation, "Recursive interpolation detected");
  try {
    Located value = text(at.node.as_string(), at.path);
    open_.erase(where);
    followed_.insert_or_assign(where, std::pair(at.node, value));
    return value;
  } catch (...) {
    open_.erase(where);
    throw;
  }
}

std::optional<Located> Evaluator::find(const std::string& key, const Path& path, bool strict) {
  const size_t dots = std::min(key.find_first_not_of('.'), key.size());
  Path start;
  if (dots > 0) {
    if (dots > path.size()) return std::nullopt;
    start.assign(path.begin(), path.end() - static_cast<std::ptrdiff_t>(dots));
  }
  Located at{root_, {}};
  const auto step = [&](const std::string& name) {
    at = follow(std::move(at));
    const bool bad_index = at.node.is_list() && name.find_first_not_of("-0123456789") != std::string::npos;
    if (!at.node.is_container() && !strict) return false;
    if (at.node.is_missing()) missing(path_text(at.path));
    if (!at.node.is_container()) {
      throw Error(
          ErrorKind::kInterpolation,
          fmt::format("ConfigTypeError raised while resolving interpolation: Error trying to access {}: node `{}` "
                      "is not a container and thus cannot contain `{}`",
                      key, path_text(at.path), name));
    }
    if (bad_index) {
      throw Error(
          ErrorKind::kInterpolation,
          fmt::format("ConfigTypeError raised while resolving interpolation: Index '{}' (str) is not an int", name));
    }
    const Node parent = at.node;
    const Node* child = parent.is_dict() ? parent.dict().find(name) : parent.find(name);
    if (child == nullptr) return false;
    at.node = *child;
    at.path.push_back(name);
    at.literal = false;
    return true;
  };
  for (const std::string& name : start) {
    if (!step(name)) return std::nullopt;
  }
  for (const std::string& name : path_of(key.substr(dots))) {
    if (!step(name)) return std::nullopt;
  }
  return follow(std::move(at));
}

}  // namespace roundtrip::hydra
