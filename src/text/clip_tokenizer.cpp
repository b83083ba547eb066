#include "text/clip_tokenizer.h"

#include <algorithm>
#include <array>
#include <functional>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "text/bpe.h"
#include "text/clip_words.h"
#include "text/token_text.h"
#include "text/tokenizer_files.h"

namespace roundtrip::text {
namespace {

constexpr size_t kMaxPromptBytes = 1 << 30;  // ICU counts in int32
constexpr size_t kCachedWords = 1 << 16;
constexpr size_t kLongestCachedWord = 64;

// Finds added tokens in a text: the leftmost, and the longest of those at one place.
class TokenFinder {
 public:
  void add(std::string content, int64_t id) {
    auto& tokens = by_first_byte_[static_cast<unsigned char>(content.front())];
    tokens.emplace_back(std::move(content), id);
    std::ranges::sort(tokens, std::greater<>(), [](const auto& token) { return token.first.size(); });
  }

  // Calls `on_text` with the text between tokens (never empty) and `on_token` with the tokens' ids, in order.
  void split(std::string_view text, const std::function<void(std::string_view)>& on_text,
             const std::function<void(int64_t)>& on_token) const {
    size_t from = 0;
    for (size_t at = 0; at < text.size();) {
      const auto& tokens = by_first_byte_[static_cast<unsigned char>(text[at])];
      const auto found =
          std::ranges::find_if(tokens, [&](const auto& token) { return text.substr(at).starts_with(token.first); });
      if (found == tokens.end()) {
        ++at;
        continue;
      }
      if (at > from) on_text(text.substr(from, at - from));
      on_token(found->second);
      from = at += found->first.size();
    }
    if (from < text.size()) on_text(text.substr(from));
  }

 private:
  std::array<std::vector<std::pair<std::string, int64_t>>, 256> by_first_byte_;
};

}  // namespace

struct ClipTokenizer::State {
  explicit State(TokenizerFiles files)
      : bpe(files.vocabulary, files.merges, files.unknown, files.where),
        start(files.start),
        end(files.end),
        pad(files.pad),
        max_length(files.max_length) {
    for (const AddedToken& token : files.added) {
      const std::string content = token.normalised ? normalise(token.content) : token.content;
      (token.normalised ? in_normalised : in_text).add(content, token.id);
    }
    vocabulary = std::move(files.vocabulary);
    for (AddedToken& token : files.added) vocabulary.insert_or_assign(std::move(token.content), token.id);
  }

  const std::string& piece(int64_t id) {
    std::call_once(decoded, [&] {
      for (const auto& [token, own] : vocabulary) {
        const std::string text = token_text(token);
        const size_t from = text.find_first_not_of('#');
        pieces[own] = from == std::string::npos ? "" : text.substr(from, text.find_last_not_of('#') + 1 - from);
      }
      vocabulary.clear();
    });
    static const std::string kNone;
    const auto found = pieces.find(id);
    return found == pieces.end() ? kNone : found->second;
  }

  void encode_word(std::string_view word, std::vector<int64_t>& ids) {
    if (word.size() > kLongestCachedWord) return bpe.encode(word, ids);
    auto found = words.find(std::string(word));
    if (found == words.end()) {
      if (words.size() >= kCachedWords) words.clear();
      found = words.emplace(word, std::vector<int64_t>()).first;
      bpe.encode(word, found->second);
    }
    ids.insert(ids.end(), found->second.begin(), found->second.end());
  }

  Bpe bpe;
  TokenFinder in_text, in_normalised;
  int64_t start, end, pad;
  int max_length;
  std::mutex mutex;  // guards `words`
  std::unordered_map<std::string, std::vector<int64_t>> words;
  std::once_flag decoded;
  Vocabulary vocabulary;  // until it is decoded
  std::unordered_map<int64_t, std::string> pieces;
};

ClipTokenizer::ClipTokenizer(std::unique_ptr<State> state) : state_(std::move(state)) {}
ClipTokenizer::~ClipTokenizer() = default;
ClipTokenizer::ClipTokenizer(ClipTokenizer&&) noexcept = default;
ClipTokenizer& ClipTokenizer::operator=(ClipTokenizer&&) noexcept = default;

ClipTokenizer ClipTokenizer::open(const std::filesystem::path& folder) {
  return ClipTokenizer(std::make_unique<State>(read_tokenizer_files(folder)));
}

int ClipTokenizer::max_length() const { return state_->max_length; }

std::vector<int64_t> ClipTokenizer::inner_ids(std::string_view prompt) const {
  if (prompt.size() > kMaxPromptBytes) {
    throw input_error("prompt", bytes_text(static_cast<double>(prompt.size())), "at most 1 GiB");
  }
  if (!is_utf8(prompt)) {
    throw input_error(fmt::format("prompt {}", name_text(prompt)), "not valid UTF-8", "text in UTF-8");
  }
  std::vector<int64_t> tokens;
  const auto push = [&](int64_t id) { tokens.push_back(id); };
  const auto encode_words = [&](std::string_view text) {
    for_each_word(text, [&](std::string_view word) { state_->encode_word(word, tokens); });
  };
  const auto encode_text = [&](std::string_view text) {
    state_->in_normalised.split(normalise(text), encode_words, push);
  };
  {
    const std::lock_guard lock(state_->mutex);
    state_->in_text.split(prompt, encode_text, push);
  }
  return tokens;
}

Encoding ClipTokenizer::encode(std::string_view prompt) const {
  const std::vector<int64_t> tokens = inner_ids(prompt);
  Encoding encoding;
  const auto length = static_cast<size_t>(state_->max_length);
  const size_t kept = std::min(tokens.size(), length - 2);
  encoding.dropped_tokens = static_cast<int>(tokens.size() - kept);
  encoding.ids.reserve(length);
  encoding.ids.push_back(state_->start);
  encoding.ids.insert(encoding.ids.end(), tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(kept));
  encoding.ids.push_back(state_->end);
  encoding.ids.resize(length, state_->pad);
  return encoding;
}

PromptTokens ClipTokenizer::tokens(std::string_view prompt) const {
  PromptTokens tokens;
  tokens.prompt = prompt;
  tokens.max_length = state_->max_length;
  const std::vector<int64_t> inner = inner_ids(prompt);
  tokens.ids.push_back(state_->start);
  tokens.ids.insert(tokens.ids.end(), inner.begin(), inner.end());
  tokens.ids.push_back(state_->end);
  for (const int64_t id : inner) tokens.pieces.push_back(piece(id));
  // Words are cut at white space before bytes are paired, so that a word has the tokens that it has alone; an added
  // token with a space in it would be an exception, and then the counts are not known.
  std::vector<int64_t> alone;
  for (const std::string& word : words_of(prompt)) {
    const std::vector<int64_t> ids = inner_ids(word);
    alone.insert(alone.end(), ids.begin(), ids.end());
    tokens.counts.push_back(std::ssize(ids));
  }
  if (alone != inner) tokens.counts.clear();
  return tokens;
}

const std::string& ClipTokenizer::piece(int64_t id) const { return state_->piece(id); }

}  // namespace roundtrip::text
