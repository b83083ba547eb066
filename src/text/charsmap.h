// The table of text replacements in sentencepiece's models, `precompiled_charsmap`: a little-endian uint32 size, a
// double array of that many bytes (the trie of darts-clone, github.com/s-yata/darts-clone), and zero-ended
// replacements.
//
// It is applied as the tokenizers library does, from which sentencepiece itself differs: by extended grapheme clusters,
// each of which the shortest key that starts it may replace as a whole.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace roundtrip::text {

class Charsmap {
 public:
  // No bytes leave texts as they are. Throws kInput, naming `where`, for a table that is not complete.
  Charsmap(std::string_view bytes, const std::string& where);

  // A cluster of less than 6 bytes that starts with a key becomes the key's value; in others, each character that
  // starts with one. `text` is valid UTF-8 below 2 GiB.
  std::string apply(std::string_view text) const;

 private:
  // The value of the shortest key that `text` starts with.
  std::optional<std::string_view> find(std::string_view text) const;

  std::vector<uint32_t> units_;
  std::string values_;
};

}  // namespace roundtrip::text
