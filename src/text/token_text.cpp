#include "text/token_text.h"

#include <optional>
#include <unordered_map>

#include <unicode/utf8.h>

namespace roundtrip::text {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

// The bytes of a token's letters. A token with a letter that stands for no byte is its own bytes: an added token.
std::string bytes_of(std::string_view token) {
  static const std::unordered_map<std::string, char> kBytes = [] {
    std::unordered_map<std::string, char> bytes;
    const std::array<std::string, 256> letters = byte_letters();
    for (size_t byte = 0; byte < letters.size(); ++byte) bytes.emplace(letters[byte], static_cast<char>(byte));
    return bytes;
  }();
  std::string bytes;
  for (size_t at = 0; at < token.size();) {
    const size_t length =
        (static_cast<unsigned char>(token[at]) & 0xC0) == 0xC0 ? 2 : 1;  // all letters are below U+0800
    const auto found = kBytes.find(std::string(token.substr(at, length)));
    if (found == kBytes.end()) return std::string(token);
    bytes += found->second;
    at += length;
  }
  return bytes;
}

// Calls `on_character` with each code point, negative for an ill-formed sequence, and its bytes. ICU's sequences are
// those of the Unicode standard's section 3.9, like Rust's and Python's.
template <typename OnCharacter>
void for_each_character(std::string_view text, OnCharacter on_character) {
  const auto size = static_cast<int32_t>(text.size());
  for (int32_t at = 0; at < size;) {
    const int32_t from = at;
    UChar32 character = 0;
    U8_NEXT(text.data(), at, size, character);
    on_character(character, text.substr(static_cast<size_t>(from), static_cast<size_t>(at - from)));
  }
}

// str.isspace() of Python: Unicode's white space and the four separators of ASCII.
bool is_space(UChar32 c) {
  return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

std::string well_formed(std::string_view bytes) {
  std::string text;
  for_each_character(bytes, [&](UChar32 c, std::string_view sequence) { text += c < 0 ? kReplacement : sequence; });
  return text;
}

std::string stripped(const std::string& text) {
  std::optional<size_t> from;
  size_t to = 0, at = 0;
  for_each_character(text, [&](UChar32 c, std::string_view sequence) {
    if (!is_space(c)) {
      if (!from) from = at;
      to = at + sequence.size();
    }
    at += sequence.size();
  });
  return from ? text.substr(*from, to - *from) : std::string();
}

}  // namespace

std::array<std::string, 256> byte_letters() {
  std::array<std::string, 256> letters;
  int next = 0x100;
  for (int byte = 0; byte < 256; ++byte) {
    const bool printable =
        (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || (byte >= 0xAE && byte <= 0xFF);
    const int code_point = printable ? byte : next++;
    std::string& letter = letters[static_cast<size_t>(byte)];
    if (code_point < 0x80) {
      letter = static_cast<char>(code_point);
    } else {
      letter = {static_cast<char>(0xC0 | (code_point >> 6)), static_cast<char>(0x80 | (code_point & 0x3F))};
    }
  }
  return letters;
}

std::string token_text(std::string_view token) {
  std::string text = well_formed(bytes_of(token));
  for (size_t at = text.find(kEndOfWord); at != std::string::npos; at = text.find(kEndOfWord, at + 1)) {
    text.replace(at, kEndOfWord.size(), " ");
  }
  return stripped(text);
}

}  // namespace roundtrip::text
