// The ids of transformers' T5TokenizerFast, from either of the files that a folder may hold.
#include "text/t5_tokenizer.h"

#include <fstream>
#include <functional>

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/json.h"
#include "support/error_of.h"
#include "support/shared_material.h"
#include "support/temporary_folder.h"
#include "text/t5_files.h"

namespace roundtrip::text {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::error_of;

fs::path recorded_folder() { return shared_material("flow/models/tiny-flux/tokenizer_2"); }

void expect_recorded_ids(const T5Tokenizer& tokenizer) {
  size_t compared = 0;
  const json recorded = read_json(shared_material("flow/golden/t5.json"));
  for (const json& entry : recorded["prompts"]) {
    EXPECT_EQ(tokenizer.ids(entry["text"].get<std::string>()), entry["ids"].get<std::vector<int64_t>>())
        << entry["text"];
    ++compared;
  }
  EXPECT_EQ(compared, 205u);
}

TEST(T5Tokenizer, GivesTheIdsOfTransformersFromTokenizerJson) {
  ROUNDTRIP_NEEDS_SHARED("flow");
  expect_recorded_ids(T5Tokenizer::open(recorded_folder()));
}

TEST(T5Tokenizer, GivesTheSameIdsFromTheSentencepieceModelAlone) {
  ROUNDTRIP_NEEDS_SHARED("flow");
  const testing::TemporaryFolder folder;
  fs::copy(recorded_folder() / "spiece.model", folder.path() / "spiece.model");
  fs::copy(recorded_folder() / "tokenizer_config.json", folder.path() / "tokenizer_config.json");
  expect_recorded_ids(T5Tokenizer::open(folder.path()));
}

// A tokenizer of a few pieces without replacements: a trie whose root has no children.
class SmallT5 : public ::testing::Test {
 protected:
  SmallT5() {
    root_ = json::parse(R"({
      "added_tokens": [{"id": 0, "content": "<pad>"}, {"id": 1, "content": "</s>"}, {"id": 2, "content": "<unk>"}],
      "normalizer": {"type": "Precompiled", "precompiled_charsmap": "BAAAAAAAAAAA"},
      "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, {"type": "Metaspace"}]},
      "model": {"type": "Unigram", "unk_id": 2, "vocab": [["<pad>", 0], ["</s>", 0], ["<unk>", 0], ["\u2581", -4],
        ["a", -2], ["\u2581a", -5], ["ab", -3], ["b", -2]]}
    })");
  }

  T5Tokenizer open() {
    std::ofstream(folder_.path() / "tokenizer.json") << root_.dump();
    return T5Tokenizer::open(folder_.path());
  }
  std::string refusal() {
    return error_of([&] { open(); });
  }

  testing::TemporaryFolder folder_;
  json root_;
};

TEST_F(SmallT5, CutsAWordIntoThePiecesOfTheLargestSum) {
  const T5Tokenizer tokenizer = open();
  EXPECT_EQ(tokenizer.ids("a"), (std::vector<int64_t>{5, 1}));      // -5 beats -4 - 2
  EXPECT_EQ(tokenizer.ids("ab"), (std::vector<int64_t>{3, 6, 1}));  // -4 - 3 ties with -5 - 2: the earlier start wins
  EXPECT_EQ(tokenizer.ids("  a \t b"), (std::vector<int64_t>{5, 3, 7, 1}));
  EXPECT_EQ(tokenizer.ids("xyz"), (std::vector<int64_t>{3, 2, 1}));  // a run of unknown characters is one
  EXPECT_EQ(tokenizer.ids(""), (std::vector<int64_t>{1}));
}

TEST_F(SmallT5, LeavesTextsAsTheyAreWithoutANormalizer) {
  root_["normalizer"] = nullptr;
  EXPECT_EQ(open().ids("a b"), (std::vector<int64_t>{5, 3, 7, 1}));
}

TEST_F(SmallT5, FindsSpecialTokensInTheTextFirst) {
  EXPECT_EQ(open().ids("a</s>b"), (std::vector<int64_t>{5, 1, 3, 7, 1}));
}

TEST_F(SmallT5, PadsAndCutsToTheLengthWithTheEndInside) {
  const T5Tokenizer tokenizer = open();
  EXPECT_EQ(tokenizer.encode("a", 4).ids, (std::vector<int64_t>{5, 1, 0, 0}));
  const Encoding cut = tokenizer.encode("a a a a", 3);
  EXPECT_EQ(cut.ids, (std::vector<int64_t>{5, 5, 1}));
  EXPECT_EQ(cut.dropped_tokens, 2);
}

TEST_F(SmallT5, RefusesStepsThatT5DoesNotHave) {
  root_["model"]["type"] = "BPE";
  EXPECT_NE(refusal().find("a model of type \"BPE\"; expected Unigram"), std::string::npos) << refusal();
  root_["model"]["type"] = "Unigram";
  root_["normalizer"]["precompiled_charsmap"] = "/////w==";
  EXPECT_NE(refusal().find("precompiled_charsmap of 4 bytes that names 4294967295"), std::string::npos) << refusal();
  root_["normalizer"]["precompiled_charsmap"] = "*";
  EXPECT_NE(refusal().find("expected base64"), std::string::npos) << refusal();
}

TEST_F(SmallT5, RefusesAPromptThatIsNotUtf8) {
  const T5Tokenizer tokenizer = open();
  EXPECT_NE(error_of([&] { tokenizer.ids("\xff"); }).find("not valid UTF-8"), std::string::npos);
}

TEST(T5Files, RefusesAFolderWithoutATokenizerAndATruncatedModel) {
  const testing::TemporaryFolder folder;
  EXPECT_NE(error_of([&] { read_t5_files(folder.path()); }).find("no tokenizer.json and no spiece.model"),
            std::string::npos);
  std::ofstream(folder.path() / "spiece.model") << "\x0a\x7f";  // a piece of 127 bytes that is not there
  EXPECT_NE(error_of([&] { read_t5_files(folder.path()); }).find("not a sentencepiece model"), std::string::npos);
}

}  // namespace
}  // namespace roundtrip::text
