// Words of a prompt as columns of its attention maps: column weights and the equalizer.
//
// Hertz et al., Prompt-to-Prompt, ICLR 2023: the equalizer is c of section 3.2, "attention re-weighting"; the words of
// a region are those of section 3.2's local editing. Which tokens a word has is text/prompt_tokens.h's to say.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ATen/ATen.h>

#include "config/params.h"
#include "text/prompt_tokens.h"

namespace roundtrip::editing {

// Words of the source prompt and of the target prompt.
struct WordPair {
  std::vector<std::string> source, target;
  bool empty() const { return source.empty() && target.empty(); }
};

// Reads [SOURCE, TARGET], each a word or a list of words. An empty list is an empty pair, null is none.
std::optional<WordPair> read_word_pair(const config::Params& params, const std::string& key);

// Reads how many query tokens the attention layers that an editor looks at have; null is none.
std::optional<int64_t> read_tokens(const config::Params& params, const std::string& key);

// How to handle a word that the prompt lacks, or that has no tokens. kStrict throws an error. kReleased ignores the
// word silently, as the published code does: its factor and its window have no effect and its region is empty, so an
// edit that is bounded only by such words equals the source's reconstruction.
enum class WordsRule { kStrict, kReleased };

// Throws kInput for a prompt with more tokens than the embedding has rows.
void require_fitting(const text::PromptTokens& prompt);

// The columns of every word of the prompt that equals `word`, in order; the begin mark's is 0. Errors name `key`, the
// setting that the word is from.
std::vector<int64_t> columns_of(const text::PromptTokens& prompt, const std::string& word, WordsRule rule,
                                std::string_view key);

// [L] float32: 1 in the columns of any of the words, 0 elsewhere.
at::Tensor column_weights(const text::PromptTokens& prompt, const std::vector<std::string>& words, WordsRule rule,
                          std::string_view key);

// e [L] float32: each word's factor in its columns, 1 elsewhere. Factors may be negative; of two for one word the later
// counts.
at::Tensor equalizer(const text::PromptTokens& prompt, const std::vector<std::pair<std::string, double>>& factors,
                     WordsRule rule, std::string_view key);

}  // namespace roundtrip::editing
