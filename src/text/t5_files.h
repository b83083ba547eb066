// Reader of a T5 tokenizer's folder: tokenizer.json (of the tokenizers library) or, without it, spiece.model
// (sentencepiece's protobuf), to which transformers adds <extra_id_N> pieces, as many as tokenizer_config.json says.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace roundtrip::text {

struct T5Files {
  std::string where;                                   // the file that holds the pieces, for messages
  std::vector<std::pair<std::string, double>> pieces;  // by id
  int64_t unknown = 0;
  std::string charsmap;                    // its bytes; none: texts stay as they are
  std::map<std::string, int64_t> special;  // searched for in the text itself, before anything else
};

// Throws kInput for a missing or malformed file, and for steps that T5's tokenizer does not have.
T5Files read_t5_files(const std::filesystem::path& folder);

}  // namespace roundtrip::text
