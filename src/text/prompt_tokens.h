// A prompt as a tokenizer cuts it, and the tokens that belong to a word.
//
// Words are what attention control speaks of (Hertz et al., Prompt-to-Prompt, ICLR 2023); embeddings have a row for
// each token. The walk from one to the other is that of the paper's code: it counts decoded characters.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace roundtrip::text {

struct PromptTokens {
  std::string prompt;
  std::vector<int64_t> ids;         // begin mark, tokens, end mark: neither padded nor cut
  std::vector<std::string> pieces;  // the text that each token between the marks decodes to alone, '#' stripped
  int64_t max_length = 77;          // of the embedding's rows, L
};

// The prompt between single spaces: a double space is an empty word.
std::vector<std::string> words_of(std::string_view prompt);

// Positions (the begin mark's is 0) of the tokens of every word that equals `word`, or of the word at an index. Empty
// where there is none. Throws kInput where the walk runs past the last word.
std::vector<int64_t> word_tokens(const PromptTokens& tokens, std::string_view word);
std::vector<int64_t> word_tokens(const PromptTokens& tokens, int64_t index);

}  // namespace roundtrip::text
