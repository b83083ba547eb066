// Reads one text of OmegaConf's interpolation grammar and evaluates it as it reads. Private to the folder.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hydra/interpolation/evaluator.h"
#include "hydra/override/lexer.h"

namespace roundtrip::hydra {

// Recursive descent. Every method leaves `at_` after the text it read.
class TextReader {
 public:
  // With `syntax_only` nothing is evaluated: a text that does not parse fails before any reference is looked up.
  TextReader(Evaluator& evaluator, std::string_view text, const Path& path, bool syntax_only)
      : evaluator_(evaluator), text_(text), path_(path), syntax_only_(syntax_only) {}

  // The rule `text`, up to the closing `quote` (or the end where that is 0).
  Located text(char quote);
  // The rule `element`.
  Located element();
  void end();

 private:
  [[noreturn]] void fail(std::string_view what) const;
  Located literal(Node node) const { return {std::move(node), path_, true}; }
  // A value inside a list or a dict. Resolvers get containers with unresolved interpolations, as in OmegaConf.
  Node part(const Located& value) { return in_arguments_ > 0 ? value.node : evaluator_.resolved(value); }

  bool starts_interpolation() const { return text_.substr(at_, 2) == "${"; }
  void append(std::string& glued, std::optional<Located>& only);
  void glue(std::string& glued, const Located& value);
  // Python's str() of a value inside a text. Containers show their interpolations unresolved, as in OmegaConf.
  static std::string spelled(const Located& value) { return python_str(value.node); }
  // Text up to the next interpolation or quote. Backslashes count only in a run right before one of those.
  std::string plain_text(char quote);
  void skip_blanks();
  // ${key}, ${.key}, ${a[b].c} or ${resolver:arguments}.
  Located interpolation();
  // A substitute for a value that is not looked up; a key or a resolver's name may be built from it.
  Located any_value() const { return {Node("x"), path_, true}; }
  static bool is_resolver_name(const std::string& name);
  // Dots, then keys with single dots or brackets between.
  static bool is_key(const std::string& key);
  Located reference(const std::string& key);
  bool stands_in(const Path& container) const;
  Token peek() const;
  Token take();

  // Elements between commas up to `close`; an absent one is the empty string.
  std::vector<Located> sequence(TokenKind close);
  bool quote_ahead() const { return at_ < text_.size() && (text_[at_] == '\'' || text_[at_] == '"'); }
  Node dict();
  Located primitive(bool dict_key);
  static bool in_primitive(TokenKind kind, bool dict_key);
  // Types as on the command line; only the escapes differ.
  Node typed(const Token& token) const;

  Evaluator& evaluator_;
  std::string_view text_;
  const Path& path_;
  bool syntax_only_;
  size_t at_ = 0;
  int in_arguments_ = 0;  // how many calls of resolvers are open
};

}  // namespace roundtrip::hydra
