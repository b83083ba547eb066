// Reader of a tokenizer folder. The files have the meaning that transformers (5.x) gives them:
//
//   vocab.json, merges.txt    the vocabulary and the merges; or tokenizer.json, which holds both and wins
//   tokenizer_config.json     model_max_length, the special tokens, added_tokens_decoder
//   special_tokens_map.json   special tokens again; wins over tokenizer_config.json, but is not read
//                             if that has an added_tokens_decoder
//   added_tokens.json         tokens added by hand (older writers)
// Normalisation and word splitting are always CLIP's, whatever tokenizer.json says, as in transformers.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "text/bpe.h"

namespace roundtrip::text {

// A token that is searched for in the prompt itself, before it is split into words.
struct AddedToken {
  std::string content;
  int64_t id = 0;
  bool normalised = false;  // searched for in the normalised text instead of the given text
};

struct TokenizerFiles {
  std::string where;  // the file that holds the merges, for messages
  Vocabulary vocabulary;
  std::vector<Merge> merges;
  std::vector<AddedToken> added;  // contents are distinct
  int64_t start = 0, end = 0, unknown = 0, pad = 0;
  int max_length = 77;  // CLIP's, if the folder names none
};

// Throws kInput for a missing or malformed file, special tokens without an id, and settings that are not implemented.
TokenizerFiles read_tokenizer_files(const std::filesystem::path& folder);

}  // namespace roundtrip::text
