// Characters that came after Unicode 15.0, with the properties that the tokenizers library knows of them, for
// an ICU that does not know them.
//
// Letters and numbers as its regular expressions have them (Unicode 16), lower case as Rust has it (17): the
// ids of a prompt must not depend on the ICU of a machine.
#pragma once

#include <cstdint>

namespace roundtrip::text {

bool is_new_letter(int32_t c);
bool is_new_number(int32_t c);
int32_t new_lower(int32_t c);  // c itself where it has no lower case, or is not new

}  // namespace roundtrip::text
