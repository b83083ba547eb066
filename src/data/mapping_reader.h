// Reader of lists of edits: one JSON or YAML file that names images, prompts, masks and words.
//
// The published lists differ in the names of their fields only. Read are a dict of records (PIE-Bench's
// mapping_file.json and DNA-Bench's, Ju et al., ICLR 2024, and Xie et al., 2025) and a list of records (FlowEdit's
// YAML, Kulikov et al., ICCV 2025). A record is one image with one source prompt and one target prompt or a list of
// them. Several records of one image are several edits of it. Samples come in the file's order.
//
// A mask is a run-length list (mask_runs.h), as numbers or as one text of numbers, or else the name of an image file.
// Blend words come as one text, "cat dog": what stands before the first space is a word of the source prompt, what
// stands before the second one of the target prompt, and further words are dropped, as in the published code. That code
// stops at a single word; here such an edit has no blend words and a note.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data/listed_dataset.h"

namespace roundtrip::data {

// Names of a record's fields. Of several, the first that a record has counts; none: the list has no such field.
struct MappingFields {
  std::vector<std::string> image, source, target, mask, type, blend, edit, instruction;
};

struct MappingRules {
  std::filesystem::path list = {};    // the file
  std::filesystem::path images = {};  // the folder that image names are relative to
  MappingFields fields = {};
  std::string strip = {};                    // characters that are removed from prompts, such as "[]"
  bool mask_border = false;                  // mark the outermost pixels of run-length masks
  std::vector<std::string> type_names = {};  // of the types 0, 1, ...; empty: any text is a type
  std::optional<double> equalizer = {};      // factor of the target's blend word; none: the edit has no equalizer
};

// An edit's attributes are "type", "type_name" (where types have names) and "instruction". Throws kInput, or kParse for
// YAML that does not parse, with "file: record" for a record that is not an object, lacks a field or has one of another
// form, names an image that is missing or of a kind that is not read, an unknown type, or two source prompts for one
// image. Numbers in a run-length list are checked when the mask is read.
std::vector<ListedSample> read_mapping(const MappingRules& rules);

// Returns `path` if it is a file, or else the list in that folder: mapping_file.json, or its only JSON or YAML file.
// Throws kInput if there is none or more than one.
std::filesystem::path find_list(const std::filesystem::path& path);

}  // namespace roundtrip::data
