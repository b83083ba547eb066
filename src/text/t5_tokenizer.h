// T5's tokenizer (Raffel et al., JMLR 2020), with the ids of transformers' T5TokenizerFast (5.x).
//
// Special tokens are found in the prompt itself. The text between them is mapped (charsmap.h), split at white space,
// and each word, with U+2581 in front, is cut by a unigram model (unigram.h). </s> ends the ids. sentencepiece itself
// gives other ids for some texts: special tokens, stacked combining marks, U+0085.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "text/charsmap.h"
#include "text/encoding.h"
#include "text/unigram.h"

namespace roundtrip::text {

struct T5Files;

class T5Tokenizer {
 public:
  // `folder` holds the files of text/t5_files.h. Throws kInput if they do not form a tokenizer.
  static T5Tokenizer open(const std::filesystem::path& folder);

  // Exactly `length` ids, at least 1: cut to make room for </s>, or padded. Throws kInput for a prompt that is not
  // UTF-8. Threads may share a tokenizer.
  Encoding encode(std::string_view prompt, int64_t length) const;

  // The ids with </s>, neither cut nor padded. Throws as encode() does.
  std::vector<int64_t> ids(std::string_view prompt) const;

 private:
  explicit T5Tokenizer(const T5Files& files);

  // Appends the ids of text without special tokens.
  void encode_text(std::string_view text, std::vector<int64_t>& ids) const;

  Charsmap charsmap_;
  Unigram unigram_;
  std::map<std::string, int64_t> special_;
  int64_t end_ = 0, pad_ = 0;
};

}  // namespace roundtrip::text
