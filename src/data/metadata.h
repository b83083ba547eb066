// metadata.jsonl, Hugging Face's imagefolder convention: one JSON object a line, with `file_name` and `text`.
//
// `target_text` is ours: the prompt of an edit. Other keys are ignored. A value that is null counts as
// absent.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace roundtrip::data {

struct MetadataLine {
  std::string file_name;  // relative to the folder of the metadata, normalised: "b/x.png" for "./a/../b/x.png"
  std::optional<std::string> text, target_text;
  std::string where;  // "photos/metadata.jsonl:3", for messages
};

// Throws kInput with file:line for a line that is not JSON, names no file below the folder, or repeats one.
std::vector<MetadataLine> read_metadata(const std::filesystem::path& file);

}  // namespace roundtrip::data
