// Characters newer than Unicode 15.0, with the properties that the tokenizers library gives them, for an ICU that does
// not know them.
//
// Letters and numbers follow its regular expressions (Unicode 16), lower case follows Rust (17). The ids of a prompt
// must not depend on a machine's ICU.
#pragma once

#include <cstdint>

namespace roundtrip::text {

bool is_new_letter(int32_t c);
bool is_new_number(int32_t c);
int32_t new_lower(int32_t c);  // c itself if it has no lower case or is not new

}  // namespace roundtrip::text
