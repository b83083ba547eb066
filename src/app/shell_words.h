// Quotes words for a shell, so that a command in a message can be copied.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace roundtrip::app {

// Adds quotes only if the shell needs them.
std::string shell_word(std::string_view word);
std::string shell_line(const std::vector<std::string>& words);

}  // namespace roundtrip::app
