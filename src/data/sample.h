// One image and what is known about it. Pixels are plain bytes: this room does not know tensors.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace roundtrip::data {

struct Image {
  int height = 0, width = 0;
  std::vector<uint8_t> rgb;  // height * width * 3, row by row, R G B
};

struct ImageSize {
  int height = 0, width = 0;
  bool operator==(const ImageSize&) const = default;
};

struct Sample {
  std::string id;  // the file's path below the dataset's folder, without extension: never absolute
  Image pixels;
  ImageSize stored = {};  // upright, before the image was brought to the dataset's size
  std::string prompt;
  std::vector<std::string> notes;  // conversions that were applied: "alpha composited on white", "16 bits to 8"
};

// Words of an edit's prompts, for editors that follow the attention of words. A word is what stands between two spaces.
struct EditWords {
  std::vector<std::string> blend_source, blend_target;    // whose regions together bound the edit; empty: not given
  std::vector<std::pair<std::string, double>> equalizer;  // words of the target prompt and factors of their attention
  bool operator==(const EditWords&) const = default;
};

// An edit of a sample's image, known before any image is read.
struct EditName {
  std::string name;  // "colour": distinguishes the edits of one image; empty if it has only one
  std::string target_prompt;
  std::map<std::string, std::string> attributes = {};  // further facts from the dataset, such as its "type"
  EditWords words = {};
  // Words that the dataset gave for blending, where it gives them as one text ("cat dog"): only two can be used, and
  // fewer than two name no blend words.
  std::optional<size_t> blend_words_given = {};
};

// Known answer to an edit, at the size of the sample's image.
struct EditTruth {
  std::optional<Image> target = {};
  std::optional<std::vector<uint8_t>> mask = {};  // height * width: 1 where the edit may change the image, else 0
  std::vector<std::string> notes = {};            // conversions that were applied to them, and warnings about them
  size_t overruns = 0;                            // runs of a run-length mask that go past the image and were clipped
};

}  // namespace roundtrip::data
