// Scenes as a folder that dataset=folder reads: the pictures, targets/ and masks/ of their edits, metadata.jsonl.
#pragma once

#include <cstdint>
#include <filesystem>

namespace roundtrip::data::scenes {

struct WriteOptions {
  std::filesystem::path folder;
  int64_t count = 64;
  int64_t seed = 0;
  int64_t edits = 3;  // of each scene; at most all that it allows
};

// Throws kInput where the folder holds anything already or cannot be written. metadata.jsonl comes last, so that a
// folder with one is whole.
void write_scenes(const WriteOptions& options);

}  // namespace roundtrip::data::scenes
