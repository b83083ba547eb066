// A prompt as a tokenizer cuts it, and the tokens that belong to a word.
//
// Words are what attention control speaks of (Hertz et al., Prompt-to-Prompt, ICLR 2023); embeddings have a row for
// each token. A tokenizer that cuts no token across a space knows how many tokens a word has. The published code counts
// decoded characters instead, and loses its place where a token does not decode to the characters that it stands for:
// after '#', after a byte of a character alone, after a double space. Without counts the walk here is that one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace roundtrip::text {

struct PromptTokens {
  std::string prompt;
  std::vector<int64_t> ids;          // begin mark, tokens, end mark: neither padded nor cut
  std::vector<std::string> pieces;   // the text that each token between the marks decodes to alone, '#' stripped
  std::vector<int64_t> counts = {};  // tokens of each word between single spaces; empty: not known
  int64_t max_length = 77;           // of the embedding's rows, L
};

// The prompt between single spaces: a double space is an empty word.
std::vector<std::string> words_of(std::string_view prompt);

// Positions (the begin mark's is 0) of the tokens of every word that equals `word`, or of the word at an index. Empty
// where there is none. Throws kInput where the walk by characters runs past the last word.
std::vector<int64_t> word_tokens(const PromptTokens& tokens, std::string_view word);
std::vector<int64_t> word_tokens(const PromptTokens& tokens, int64_t index);

}  // namespace roundtrip::text
