// The two steps of CLIP's tokenizer before byte-pair encoding: normal form, and words.
//
// As transformers' CLIPTokenizer (5.x, on the tokenizers library) has them, which differ from OpenAI's
// original: no mending of mojibake, no decoding of HTML entities, lower case by code point (a final sigma
// stays a sigma), and the NFC of Unicode 9 whatever ICU knows. Other properties of characters are those of the
// ICU that is linked and, where it knows none, of new_characters.h. Seen with ICU 72 (Unicode 15.0): the same
// ids for every code point there is.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace roundtrip::text {

// NFC, every run of white space one space, every code point in lower case. `text` is valid UTF-8 below 2 GiB.
std::string normalise(std::string_view text);

// Calls `each` with the words of a normalised text, in order:
//   's 't 're 've 'm 'll 'd | letters | one number | a run of anything else but white space
void for_each_word(std::string_view normalised, const std::function<void(std::string_view)>& each);

}  // namespace roundtrip::text
