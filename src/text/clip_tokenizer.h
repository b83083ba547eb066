// CLIP's byte-level BPE tokenizer (Radford et al., ICML 2021), with the ids of transformers' CLIPTokenizer (5.x).
//
// A prompt is searched for added tokens, normalised and split into words, and each word is encoded. The ids are then
// placed between the start and the end token and padded. A single token can be decoded to its text. Not implemented:
// decoding of whole texts, pairs of texts, prompt weights.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "text/encoding.h"
#include "text/prompt_tokens.h"

namespace roundtrip::text {

class ClipTokenizer {
 public:
  // `folder` holds the files of text/tokenizer_files.h. Throws kInput if they do not form a tokenizer.
  static ClipTokenizer open(const std::filesystem::path& folder);
  ~ClipTokenizer();
  ClipTokenizer(ClipTokenizer&&) noexcept;
  ClipTokenizer& operator=(ClipTokenizer&&) noexcept;

  // start, tokens, end, padding. Throws kInput for a prompt that is not UTF-8. Threads may share a tokenizer.
  Encoding encode(std::string_view prompt) const;

  // The same tokens, neither cut nor padded, with their pieces. Throws as encode() does.
  PromptTokens tokens(std::string_view prompt) const;

  // The text that a token decodes to alone, '#' stripped at both ends; empty for an id that no token has. The first
  // call decodes the vocabulary.
  const std::string& piece(int64_t id) const;

  int max_length() const;

 private:
  struct State;
  explicit ClipTokenizer(std::unique_ptr<State> state);
  std::vector<int64_t> inner_ids(std::string_view prompt) const;  // without marks
  std::unique_ptr<State> state_;
};

}  // namespace roundtrip::text
