// Words as a person types them at a shell: what a message proposes can be copied.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace roundtrip::app {

// In quotes where the shell would read it otherwise.
std::string shell_word(std::string_view word);
std::string shell_line(const std::vector<std::string>& words);

}  // namespace roundtrip::app
