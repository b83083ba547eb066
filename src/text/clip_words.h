// The two steps of CLIP's tokenizer before byte-pair encoding: normalisation and word splitting.
//
// Both follow transformers' CLIPTokenizer (5.x, on the tokenizers library), which differs from OpenAI's original. It
// does not repair mojibake or decode HTML entities. It lower-cases by code point (a final sigma stays a sigma). It uses
// the NFC of Unicode 9 whatever ICU supports. Other character properties come from the linked ICU or, for characters
// that it does not know, from new_characters.h. With ICU 72 (Unicode 15.0), every code point gave the same ids.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace roundtrip::text {

// Applies NFC, reduces every run of white space to one space and lower-cases. `text` must be valid UTF-8 below 2 GiB.
std::string normalise(std::string_view text);

// Calls `each` with the words of a normalised text, in order:
//   's 't 're 've 'm 'll 'd | letters | one number | a run of anything else but white space
void for_each_word(std::string_view normalised, const std::function<void(std::string_view)>& each);

}  // namespace roundtrip::text
