#include "editing/words.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"

namespace roundtrip::editing {
namespace {

// Sets the columns of one word.
void set(at::Tensor& row, const std::vector<int64_t>& columns, double value) {
  for (const int64_t column : columns) row[column] = value;
}

}  // namespace

std::optional<WordPair> read_word_pair(const config::Params& params, const std::string& key) {
  const std::vector<std::vector<std::string>> pair = params.get_string_lists(key);
  if (params.is_null(key)) return std::nullopt;
  if (pair.empty()) return WordPair{};
  if (pair.size() != 2) throw params.wrong(key, "[SOURCE, TARGET], each a word or a list of words");
  return WordPair{pair[0], pair[1]};
}

std::optional<int64_t> read_tokens(const config::Params& params, const std::string& key) {
  constexpr const char* kType = "int of at least 1 or null";
  const config::Value& value = params.get_value(key, kType);
  if (params.is_null(key)) return std::nullopt;
  const auto* tokens = std::get_if<int64_t>(&value);
  if (tokens == nullptr || *tokens < 1) throw params.wrong(key, kType);
  return *tokens;
}

void require_fitting(const text::PromptTokens& prompt) {
  check(prompt.ids.size() == prompt.pieces.size() + 2, "a prompt has a piece for each token between its marks");
  const auto length = static_cast<int64_t>(prompt.ids.size());
  if (length <= prompt.max_length) return;
  throw input_error("prompt " + name_text(prompt.prompt), fmt::format("has {} tokens with its marks", length),
                    fmt::format("at most {}. Shorten the prompt", prompt.max_length));
}

std::vector<int64_t> columns_of(const text::PromptTokens& prompt, const std::string& word, WordsRule rule,
                                std::string_view key) {
  require_fitting(prompt);
  std::vector<int64_t> columns = text::word_tokens(prompt, word);
  if (!columns.empty() || rule == WordsRule::kReleased) return columns;
  const std::vector<std::string> words = text::words_of(prompt.prompt);
  const std::string where = fmt::format("prompt {}", name_text(prompt.prompt));
  if (std::ranges::find(words, word) == words.end()) {
    throw input_error(key, fmt::format("{} is not a word of the {}", name_text(word), where),
                      "a word as it stands there between two spaces." + did_you_mean(word, words));
  }
  throw input_error(key, fmt::format("{} has no tokens in the {}", name_text(word), where),
                    "a word with tokens. Double spaces and special characters move tokens to other words");
}

at::Tensor column_weights(const text::PromptTokens& prompt, const std::vector<std::string>& words, WordsRule rule,
                          std::string_view key) {
  at::Tensor weights = at::zeros({prompt.max_length}, at::kFloat);
  for (const std::string& word : words) set(weights, columns_of(prompt, word, rule, key), 1);
  return weights;
}

at::Tensor equalizer(const text::PromptTokens& prompt, const std::vector<std::pair<std::string, double>>& factors,
                     WordsRule rule, std::string_view key) {
  at::Tensor e = at::ones({prompt.max_length}, at::kFloat);
  for (const auto& [word, factor] : factors) set(e, columns_of(prompt, word, rule, key), factor);
  return e;
}

}  // namespace roundtrip::editing
