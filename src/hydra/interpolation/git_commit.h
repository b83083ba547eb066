// Which commit of a git repository is checked out, read from its files (gitrepository-layout): HEAD, loose and packed
// references, further worktrees. Does not run git, and does not say whether files were changed since.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace roundtrip::hydra {

// 40 or 64 hexadecimal digits. Nothing where neither `folder` nor one above it is a repository, or it has no commit.
std::optional<std::string> checked_out_commit(const std::filesystem::path& folder);

}  // namespace roundtrip::hydra
