// Digests of large files, each computed once per process.
//
// A file counts as unchanged while its path, size, inode and times of change are the same. Weights are hashed for the
// trials' ids, for the provenance and for rescoring: gigabytes that are read once here.
#pragma once

#include <filesystem>
#include <string>

namespace roundtrip {

// As sha256_hex_of_file. Safe to call from several threads.
std::string remembered_sha256_of_file(const std::filesystem::path& path);

}  // namespace roundtrip
