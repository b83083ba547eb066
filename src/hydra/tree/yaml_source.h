// Checks of a YAML text that yaml-cpp does not make and PyYAML does. Private to the folder.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "hydra/tree/node.h"

namespace roundtrip::hydra {

// "FILE:LINE:COLUMN: what", and the line with a caret.
Error yaml_error(std::string_view text, const Mark& mark, std::string_view what);

// Throws kParse for a text that is too long, is not UTF-8 or holds control characters.
void check_bytes(std::string_view text, const std::shared_ptr<const std::string>& file, size_t max_bytes);

// Re-encodes the escapes \N and \_, which yaml-cpp writes as bytes of Latin-1.
std::string with_encoded_escapes(const std::string& value);

// The text as PyYAML's scanner sees it: where quotes and block scalars are, and what may follow their start.
class YamlSource {
 public:
  YamlSource(std::string_view text, std::shared_ptr<const std::string> file) : text_(text), file_(std::move(file)) {}

  // Throws kParse for a quote that the text ends in, and for a colon that starts a word in a flow collection. Stores
  // the extent of quotes and block scalars, where tabs are allowed.
  void check_scalar(size_t at, bool is_tagged, const std::string& value, bool in_flow, const Mark& mark);
  // A block scalar ends before whatever comes next, at `at`.
  void end_block_scalar(size_t at);
  // Throws kParse for tabs outside quotes, block scalars and comments.
  void check_tabs() const;
  // Whether a tag is written at the start of the node at `at`, before or after its anchor.
  bool has_tag(size_t at) const;

 private:
  struct Span {
    size_t from, to;
  };

  // Only blanks, and a comment after a blank, may follow the indicators of a block scalar.
  void check_block_header(size_t at, const Mark& mark) const;
  // Skips the tag and the anchor that a node starts with.
  size_t content_start(size_t at, std::string_view marks = "!&") const;
  size_t closing_quote(size_t at) const;

  std::string_view text_;
  std::shared_ptr<const std::string> file_;
  std::vector<Span> verbatim_;  // quotes and block scalars
};

}  // namespace roundtrip::hydra
