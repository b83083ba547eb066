// metadata.jsonl and metadata.csv, Hugging Face's imagefolder convention: one JSON object per line, or one record of a
// table with a header, with `file_name` and `text`.
//
// Keys of our own describe an edit of the image:
//
//   target_text       the prompt that requests it; needed for the others
//   target_image      its exact answer
//   mask              where it may change the image (white) and where not (black)
//   edit              its name
//   blend_words       [source, target]: a word of `text` and one of `target_text`, or a list of words for either; an
//                     editor that follows attention changes the image where these words are
//   equalizer         {word: number}: factors of the attention of words of `target_text`
//   edit_attributes   further texts, such as its type: {key: string}
//
// An image with several edits has one line for each, with different names. Other keys are ignored. A null value counts
// as absent, and in a table so does an empty field; blend_words, equalizer and edit_attributes are JSON there.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "data/sample.h"

namespace roundtrip::data {

struct MetadataLine {
  std::string file_name;  // relative to the folder of the metadata, normalised: "b/x.png" for "./a/../b/x.png"
  std::optional<std::string> text, target_text;
  std::optional<std::string> target_image, mask;  // relative to the folder of the metadata, normalised
  std::string edit;
  EditWords words;
  std::map<std::string, std::string> attributes;  // of the edit
  std::string where;                              // "photos/metadata.jsonl:3", for messages
};

// Reads a table if the file's name ends in .csv. Throws kInput with file:line for a line that is not JSON, a record of
// another length than the header, and a line or record that names no file below the folder, repeats one without an edit
// of another name, or describes an edit without a target_text.
std::vector<MetadataLine> read_metadata(const std::filesystem::path& file);

}  // namespace roundtrip::data
