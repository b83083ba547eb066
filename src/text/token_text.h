// The text behind a token of a byte-level vocabulary.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace roundtrip::text {

// GPT-2's visible letters for bytes: the printable ones of Latin-1 unchanged, the others as U+0100 and following, in
// order.
std::array<std::string, 256> byte_letters();

inline constexpr std::string_view kEndOfWord = "</w>";

// Decodes one token as transformers' CLIPTokenizer decodes it alone: letters to bytes, each maximal ill-formed sequence
// of bytes to U+FFFD, then without the mark of a word's end and without white space around it.
std::string token_text(std::string_view token);

}  // namespace roundtrip::text
