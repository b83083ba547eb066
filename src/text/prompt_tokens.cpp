#include "text/prompt_tokens.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"

namespace roundtrip::text {
namespace {

// Code points of UTF-8: every byte that does not continue a character.
size_t length_of(std::string_view text) {
  return static_cast<size_t>(std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

// Hands each token to a word: a word ends with the token at which as many characters have gone by as it has. So a token
// that crosses the end of a word belongs to that word alone, and a word without characters still takes one token.
template <typename IsWanted>
std::vector<int64_t> walk(const PromptTokens& tokens, const std::vector<std::string>& words, IsWanted is_wanted) {
  std::vector<int64_t> positions;
  size_t word = 0, passed = 0;
  for (size_t i = 0; i < tokens.pieces.size(); ++i) {
    if (word == words.size()) {
      throw input_error("prompt " + name_text(tokens.prompt),
                        fmt::format("its last word ends before token {} of {}", i + 1, tokens.pieces.size()),
                        "tokens that decode to as many characters as the words have. Replace characters that the "
                        "tokenizer splits into bytes");
    }
    passed += length_of(tokens.pieces[i]);
    if (is_wanted(word)) positions.push_back(static_cast<int64_t>(i) + 1);
    if (passed >= length_of(words[word])) {
      ++word;
      passed = 0;
    }
  }
  return positions;
}

template <typename IsWanted>
std::vector<int64_t> positions_of(const PromptTokens& tokens, const std::vector<std::string>& words,
                                  IsWanted is_wanted) {
  if (tokens.counts.size() != words.size()) return walk(tokens, words, is_wanted);
  std::vector<int64_t> positions;
  int64_t at = 1;
  for (size_t word = 0; word < words.size(); ++word) {
    for (int64_t k = 0; k < tokens.counts[word]; ++k, ++at) {
      if (is_wanted(word)) positions.push_back(at);
    }
  }
  return positions;
}

}  // namespace

std::vector<std::string> words_of(std::string_view prompt) { return split(prompt, ' '); }

std::vector<int64_t> word_tokens(const PromptTokens& tokens, std::string_view word) {
  const std::vector<std::string> words = words_of(tokens.prompt);
  if (std::ranges::find(words, word) == words.end()) return {};
  return positions_of(tokens, words, [&](size_t index) { return words[index] == word; });
}

std::vector<int64_t> word_tokens(const PromptTokens& tokens, int64_t index) {
  const std::vector<std::string> words = words_of(tokens.prompt);
  if (index < 0 || index >= static_cast<int64_t>(words.size())) return {};
  return positions_of(tokens, words, [&](size_t each) { return each == static_cast<size_t>(index); });
}

}  // namespace roundtrip::text
