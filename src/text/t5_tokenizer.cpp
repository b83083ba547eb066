#include "text/t5_tokenizer.h"

#include <algorithm>
#include <limits>

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include "base/error.h"
#include "base/text.h"
#include "text/t5_files.h"

namespace roundtrip::text {
namespace {

constexpr std::string_view kMark = "\u2581";

int64_t special_id(const T5Files& files, const std::string& token) {
  const auto found = files.special.find(token);
  if (found == files.special.end()) {
    throw input_error(files.where, fmt::format("no special token {}", name_text(token)), "a T5 tokenizer");
  }
  return found->second;
}

}  // namespace

T5Tokenizer T5Tokenizer::open(const std::filesystem::path& folder) { return T5Tokenizer(read_t5_files(folder)); }

T5Tokenizer::T5Tokenizer(const T5Files& files)
    : charsmap_(files.charsmap, files.where),
      unigram_(files.pieces, files.unknown),
      special_(files.special),
      end_(special_id(files, "</s>")),
      pad_(special_id(files, "<pad>")) {}

void T5Tokenizer::encode_text(std::string_view text, std::vector<int64_t>& ids) const {
  const std::string mapped = charsmap_.apply(text);
  std::string word;
  // Pieces never cross the mark, so that a word is cut before each of them.
  const auto encode_word = [&] {
    if (word.empty()) return;
    if (!word.starts_with(kMark)) word.insert(0, kMark);
    for (size_t from = 0; from < word.size();) {
      const size_t end = std::min(word.find(kMark, from + kMark.size()), word.size());
      unigram_.encode(std::string_view(word).substr(from, end - from), ids);
      from = end;
    }
    word.clear();
  };
  for (size_t at = 0; at < mapped.size();) {
    const size_t from = at;
    UChar32 character = 0;
    U8_NEXT(mapped.data(), at, mapped.size(), character);
    if (u_isUWhiteSpace(character)) {
      encode_word();
    } else {
      word.append(mapped, from, at - from);
    }
  }
  encode_word();
}

std::vector<int64_t> T5Tokenizer::ids(std::string_view prompt) const {
  if (!is_utf8(prompt))
    throw input_error(fmt::format("prompt {}", name_text(prompt)), "not valid UTF-8", "text in UTF-8");
  constexpr size_t kMost = std::numeric_limits<int32_t>::max() / 4;
  if (prompt.size() > kMost) throw input_error("prompt", fmt::format("{} bytes", prompt.size()), "a shorter text");
  std::vector<int64_t> ids;
  size_t from = 0;
  for (size_t at = 0; at < prompt.size();) {
    const std::map<std::string, int64_t>::value_type* longest = nullptr;
    for (const auto& token : special_) {
      if (!prompt.substr(at).starts_with(token.first)) continue;
      if (!longest || token.first.size() > longest->first.size()) longest = &token;
    }
    if (!longest) {
      ++at;
      continue;
    }
    encode_text(prompt.substr(from, at - from), ids);
    ids.push_back(longest->second);
    from = at += longest->first.size();
  }
  encode_text(prompt.substr(from), ids);
  ids.push_back(end_);
  return ids;
}

Encoding T5Tokenizer::encode(std::string_view prompt, int64_t length) const {
  check(length >= 1, "a T5 prompt has room for its end");
  Encoding encoding{.ids = ids(prompt)};
  const auto found = static_cast<int64_t>(encoding.ids.size());
  if (found > length) {
    encoding.dropped_tokens = static_cast<int>(found - length);
    encoding.ids.resize(length);
    encoding.ids.back() = end_;
  }
  encoding.ids.resize(length, pad_);
  return encoding;
}

}  // namespace roundtrip::text
