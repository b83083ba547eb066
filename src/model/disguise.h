// Detects files that are not what their names say: downloads that fetched a pointer or a web page instead.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace roundtrip::model {

// Describes what a file that starts with `head` really is, and the remedy, to be read after "PATH: ". Returns nothing
// if the file may well be what its name says.
std::optional<std::string> disguise_of(std::string_view head);

// Throws kInput if the text of the file `where` is such a download.
void refuse_disguise(std::string_view head, const std::string& where);

}  // namespace roundtrip::model
