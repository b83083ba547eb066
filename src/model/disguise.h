// Files that are not what their names say: downloads that fetched a pointer or a web page instead.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace roundtrip::model {

// What a file that starts with `head` is instead, and the way out, to be read after "PATH: "; nothing where it
// may well be what it should.
std::optional<std::string> disguise_of(std::string_view head);

// Throws kInput where the text of the file `where` is something else in disguise.
void refuse_disguise(std::string_view head, const std::string& where);

}  // namespace roundtrip::model
