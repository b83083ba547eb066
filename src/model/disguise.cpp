#include "model/disguise.h"

#include <algorithm>
#include <cctype>

#include "base/error.h"
#include "base/text.h"

namespace roundtrip::model {

std::optional<std::string> disguise_of(std::string_view head) {
  if (head.starts_with("version https://git-lfs")) {
    return "a Git LFS pointer, not the file itself; expected its content: run `git lfs pull` in the model's folder";
  }
  constexpr size_t kLookedAt = 256;
  std::string start(trim(head.substr(0, kLookedAt)));
  std::ranges::transform(start, start.begin(), [](unsigned char letter) { return std::tolower(letter); });
  if (start.starts_with("<!doctype html") || start.starts_with("<html") || start.starts_with("<?xml")) {
    return "a web page, not the file itself; expected its content: download it again (a gated model asks for a login)";
  }
  return std::nullopt;
}

void refuse_disguise(std::string_view head, const std::string& where) {
  if (const auto disguise = disguise_of(head)) throw Error(ErrorKind::kInput, where + ": " + *disguise);
}

}  // namespace roundtrip::model
