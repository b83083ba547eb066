#include "hydra/interpolation/git_commit.h"

#include <fstream>
#include <string_view>

namespace roundtrip::hydra {
namespace {

namespace fs = std::filesystem;

constexpr int kMaxReferences = 5;  // HEAD to branch, and a branch that refers to another

std::optional<std::string> first_line(const fs::path& file) {
  std::error_code failure;
  std::ifstream stream(file);
  std::string line;
  if (!fs::is_regular_file(file, failure) || !std::getline(stream, line)) return std::nullopt;
  return line;
}

bool is_commit(std::string_view text) {
  return (text.size() == 40 || text.size() == 64) &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// The text after `label` in the line of a file.
std::optional<std::string> behind(const fs::path& file, std::string_view label) {
  const std::optional<std::string> line = first_line(file);
  if (!line || !line->starts_with(label)) return std::nullopt;
  return line->substr(label.size());
}

// The repository's folder for a folder with a `.git`: a folder, or the file that a further worktree has.
std::optional<fs::path> git_folder(const fs::path& folder) {
  const fs::path git = folder / ".git";
  std::error_code failure;
  if (fs::is_directory(git, failure)) return git;
  if (const auto named = behind(git, "gitdir: ")) return folder / *named;
  return std::nullopt;
}

// Lines of packed-refs: "COMMIT NAME".
std::optional<std::string> packed(const fs::path& repository, const std::string& name) {
  std::ifstream file(repository / "packed-refs");
  for (std::string line; std::getline(file, line);) {
    const size_t blank = line.find(' ');
    if (blank != std::string::npos && line.compare(blank + 1, std::string::npos, name) == 0) {
      return line.substr(0, blank);
    }
  }
  return std::nullopt;
}

std::optional<std::string> commit_of(const fs::path& git) {
  const std::optional<std::string> common = first_line(git / "commondir");
  const fs::path repository = common ? git / *common : git;
  std::string name = "HEAD";
  for (int k = 0; k < kMaxReferences; ++k) {
    std::optional<std::string> line = first_line(git / name);  // a worktree has references of its own
    if (!line) line = first_line(repository / name);
    if (!line) line = packed(repository, name);
    if (!line) return std::nullopt;
    if (is_commit(*line)) return line;
    constexpr std::string_view kReference = "ref: ";
    if (!line->starts_with(kReference)) return std::nullopt;
    name = line->substr(kReference.size());
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> checked_out_commit(const fs::path& folder) {
  for (fs::path at = fs::absolute(folder);; at = at.parent_path()) {
    if (const auto git = git_folder(at)) return commit_of(*git);
    if (at == at.parent_path()) return std::nullopt;
  }
}

}  // namespace roundtrip::hydra
