// Digests of large files, each computed once per process.
//
// A file counts as unchanged while its path, size, inode and times of change stay the same. Weights are hashed for
// trial ids, for provenance and for rescoring: gigabytes that are read only once.
#pragma once

#include <filesystem>
#include <string>

namespace roundtrip {

// Returns sha256_hex_of_file(path), remembered per process. Safe to call from several threads.
std::string remembered_sha256_of_file(const std::filesystem::path& path);

}  // namespace roundtrip
