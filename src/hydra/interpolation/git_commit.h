// The checked-out commit of a git repository, read from its files (gitrepository-layout): HEAD, loose and packed
// references, further worktrees. Does not run git, and does not detect uncommitted changes.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace roundtrip::hydra {

// Returns 40 or 64 hexadecimal digits; nothing where neither `folder` nor a parent is a repository, or it has no
// commit.
std::optional<std::string> checked_out_commit(const std::filesystem::path& folder);

}  // namespace roundtrip::hydra
