#include "text/clip_tokenizer.h"

#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/error_of.h"
#include "support/temporary_folder.h"

namespace roundtrip::text {
namespace {

using roundtrip::testing::error_of;
using roundtrip::testing::TemporaryFolder;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;

constexpr std::string_view kVocabulary = R"({"!": 0, "!</w>": 1, "a": 2, "a</w>": 3, "b</w>": 4, "ab</w>": 5,
                                             "<|startoftext|>": 6, "<|endoftext|>": 7})";

// A tokenizer of three letters and six tokens a prompt, in files that a test may replace.
class ClipTokenizerTest : public ::testing::Test {
 protected:
  ClipTokenizerTest() {
    folder.write("vocab.json", kVocabulary);
    folder.write("merges.txt", "#version: 0.2\na b</w>\n");
    folder.write("tokenizer_config.json", R"({"model_max_length": 6})");
  }
  ClipTokenizer open() const { return ClipTokenizer::open(folder.path()); }
  std::vector<int64_t> ids(std::string_view prompt) const { return open().encode(prompt).ids; }
  std::string open_error() const {
    return error_of([&] { open(); });
  }

  TemporaryFolder folder;
};

TEST_F(ClipTokenizerTest, PutsTheTokensBetweenStartAndEndAndPads) {
  EXPECT_THAT(ids("AB a"), ElementsAre(6, 5, 3, 7, 7, 7));
  EXPECT_THAT(ids(""), ElementsAre(6, 7, 7, 7, 7, 7));
}

TEST_F(ClipTokenizerTest, DropsAndCountsWhatDoesNotFit) {
  const Encoding encoding = open().encode("a b a b ab a");
  EXPECT_THAT(encoding.ids, ElementsAre(6, 3, 4, 3, 4, 7));
  EXPECT_EQ(encoding.dropped_tokens, 2);
  EXPECT_EQ(open().encode("a b a b").dropped_tokens, 0);
}

TEST_F(ClipTokenizerTest, IsOfClipsLengthWhereTheFolderNamesNone) {
  folder.write("tokenizer_config.json", R"({"model_max_length": 1000000000000000019884624838656})");
  EXPECT_EQ(open().max_length(), 77);
  std::filesystem::remove(folder.path() / "tokenizer_config.json");
  EXPECT_EQ(open().max_length(), 77);
}

TEST_F(ClipTokenizerTest, FindsSpecialTokensInsideAPrompt) {
  EXPECT_THAT(ids("a<|endoftext|>b"), ElementsAre(6, 3, 7, 4, 7, 7));
}

TEST_F(ClipTokenizerTest, PadsWithTheTokenOfTheSpecialTokensMapAndFindsItInPrompts) {
  folder.write("special_tokens_map.json", R"({"pad_token": "!"})");
  EXPECT_THAT(ids("a!"), ElementsAre(6, 3, 0, 7, 0, 0));
}

TEST_F(ClipTokenizerTest, FindsNormalisedTokensInTheNormalisedText) {
  EXPECT_THAT(ids("<|EndOfText|>a").back(), 7);
  EXPECT_GT(open().encode("<|EndOfText|>a").dropped_tokens, 0);  // spelled out in unknown bytes
  folder.write("special_tokens_map.json", R"({"eos_token": {"content": "<|endoftext|>", "normalized": true},
                                               "unk_token": {"content": "<|endoftext|>", "normalized": true},
                                               "pad_token": {"content": "<|endoftext|>", "normalized": true}})");
  EXPECT_THAT(ids("<|EndOfText|>a"), ElementsAre(6, 7, 3, 7, 7, 7));
}

TEST_F(ClipTokenizerTest, AddedTokensDecoderReplacesTheSpecialTokensMap) {
  folder.write("special_tokens_map.json", R"({"pad_token": "!"})");
  folder.write("tokenizer_config.json", R"({"model_max_length": 5, "added_tokens_decoder":
      {"8": {"content": "<ab>", "normalized": false, "special": false}}})");
  EXPECT_THAT(ids("a<ab>"), ElementsAre(6, 3, 8, 7, 7));
}

TEST_F(ClipTokenizerTest, NumbersNewTokensAfterTheVocabulary) {
  folder.write("added_tokens.json", R"({"<x>": 8, "<xx>": 9})");
  EXPECT_THAT(ids("<x><xx>"), ElementsAre(6, 8, 9, 7, 7, 7));
}

TEST_F(ClipTokenizerTest, ReadsTokenizerJsonAlone) {
  std::filesystem::remove(folder.path() / "vocab.json");
  std::filesystem::remove(folder.path() / "merges.txt");
  for (const std::string_view merges : {R"(["a b</w>"])", R"([["a", "b</w>"]])"}) {
    folder.write("tokenizer.json",
                 fmt::format(R"({{"added_tokens": [{{"id": 7, "content": "<|endoftext|>", "special": true}}],
                                  "model": {{"vocab": {}, "merges": {}}}}})",
                             kVocabulary, merges));
    EXPECT_THAT(ids("ab"), ElementsAre(6, 5, 7, 7, 7, 7));
  }
}

TEST_F(ClipTokenizerTest, RefusesPromptsThatAreNotUtf8) {
  for (const std::string prompt : {"a\xff", "\xc3", "\xed\xa0\x80", "\xc0\x80"}) {
    EXPECT_THAT(error_of([&] { open().encode(prompt); }), HasSubstr("not valid UTF-8; expected text in UTF-8"));
  }
}

TEST_F(ClipTokenizerTest, NamesAMissingFile) {
  std::filesystem::remove(folder.path() / "merges.txt");
  EXPECT_THAT(open_error(), EndsWith("merges.txt: no such file"));
  std::filesystem::remove(folder.path() / "vocab.json");
  EXPECT_THAT(open_error(), EndsWith("vocab.json: no such file"));
}

TEST_F(ClipTokenizerTest, NamesTheLineOfAMalformedMerge) {
  for (const std::string_view line : {"a", "a b</w> c", "a ", " b"}) {
    folder.write("merges.txt", fmt::format("#version: 0.2\na b</w>\n{}\n", line));
    EXPECT_THAT(open_error(), AllOf(HasSubstr("merges.txt:3: "), HasSubstr("expected two symbols")));
  }
  folder.write("merges.txt", "b a\n");
  EXPECT_THAT(open_error(), HasSubstr("merge 'b a' needs 'b'; expected a token of the vocabulary"));
}

TEST_F(ClipTokenizerTest, RefusesAVocabularyWithoutItsSpecialTokens) {
  folder.write("vocab.json", R"({"a": 0, "b</w>": 1, "ab</w>": 2, "<|startoftext|>": 3})");
  EXPECT_THAT(open_error(), HasSubstr("vocab.json: the vocabulary has no '<|endoftext|>'; expected the end token"));
}

TEST_F(ClipTokenizerTest, RefusesMalformedFiles) {
  const std::pair<const char*, const char*> cases[] = {
      {"vocab.json", "[]"},
      {"vocab.json", R"({"a": -1})"},
      {"vocab.json", R"({"a": 1.5})"},
      {"vocab.json", R"({"a": 4294967296})"},
      {"vocab.json", R"({"a": 1, "a": 2})"},
      {"vocab.json", R"({"a": )"},
      {"vocab.json", ""},
      {"tokenizer_config.json", "7"},
      {"tokenizer_config.json", R"({"model_max_length": 1})"},
      {"tokenizer_config.json", R"({"model_max_length": "77"})"},
      {"tokenizer_config.json", R"({"padding_side": "left"})"},
      {"tokenizer_config.json", R"({"pad_token": ""})"},
      {"tokenizer_config.json", R"({"pad_token": 3})"},
      {"tokenizer_config.json", R"({"added_tokens_decoder": {"x": "a"}})"},
      {"tokenizer_config.json", R"({"added_tokens_decoder": {"1": {}}})"},
      {"special_tokens_map.json", R"({"pad_token": {"content": "!", "single_word": true}})"},
      {"special_tokens_map.json", R"({"pad_token": {"content": "!", "normalized": 1}})"},
      {"added_tokens.json", R"({"<x>": -8})"},
      {"tokenizer.json", R"({"model": {}})"},
      {"tokenizer.json", R"({"model": {"vocab": {}, "merges": [["a"]]}})"},
      {"tokenizer.json", R"({"model": {"vocab": {}, "merges": [[1, 2]]}})"},
  };
  for (const auto& [name, bytes] : cases) {
    const TemporaryFolder broken;
    std::filesystem::copy(folder.path(), broken.path());
    broken.write(name, bytes);
    EXPECT_THAT(error_of([&] { ClipTokenizer::open(broken.path()); }), HasSubstr(name)) << bytes;
  }
}

}  // namespace
}  // namespace roundtrip::text
