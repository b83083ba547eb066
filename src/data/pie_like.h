// Scenes in PIE-Bench's layout, so that what reads, runs and scores PIE-Bench can be tried without it: the dataset
// itself is handed out by form.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "data/scenes.h"

namespace roundtrip::data::pie {

struct WriteOptions {
  std::filesystem::path folder;
  int64_t count = 70;
  int64_t seed = 0;
  int side = 512;  // of the pictures: scenes enlarged without smoothing
};

// An edit of a scene, of one of PIE-Bench's types.
struct SceneEdit {
  std::string key = {};  // 12 digits, the first of them the type
  int type = 0;
  scenes::Scene scene = {};
  scenes::Description target = {};
  std::string blended_word = {}, instruction = {};
  std::vector<uint8_t> mask = {};  // [kSide * kSide]: 1 where the edit may change the picture
};

// Edits ordered by type, as many of each as PIE-Bench has of every 700. They depend on `count` and `seed` alone. Types
// stand for scenes' edits as docs/datasets.md lists them.
std::vector<SceneEdit> draw_edits(int64_t count, int64_t seed);

// Number of edits of each type, by largest remainders.
std::vector<int64_t> edits_by_type(int64_t count);

// "a small [red] circle" and "a small [blue] circle": what stands between the words that both begin with and those that
// both end with, in brackets. Nothing is bracketed where nothing is left.
std::pair<std::string, std::string> bracketed(const std::string& source, const std::string& target);

// Throws kInput if the folder is not empty or cannot be written. mapping_file.json is written last.
void write_pie_like(const WriteOptions& options);

}  // namespace roundtrip::data::pie
