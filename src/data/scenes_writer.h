// Writer of scenes as a folder for dataset=folder: pictures, targets/ and masks/ of their edits, metadata.jsonl.
#pragma once

#include <cstdint>
#include <filesystem>

namespace roundtrip::data::scenes {

struct WriteOptions {
  std::filesystem::path folder;
  int64_t count = 64;
  int64_t seed = 0;
  int64_t edits = 3;  // per scene; at most as many as it allows
};

// Throws kInput if the folder is not empty or cannot be written. metadata.jsonl is written last, so that a folder with
// one is complete.
void write_scenes(const WriteOptions& options);

}  // namespace roundtrip::data::scenes
