// Pieces of tokens: the golden prompts of the attention-control reference, and tokens by hand.
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "text/clip_tokenizer.h"
#include "text/token_text.h"

namespace roundtrip::text {
namespace {

using testing::ElementsAre;

constexpr const char* kGolden = ROUNDTRIP_SOURCE_DIR "/tests/golden/";

ClipTokenizer tiny() { return ClipTokenizer::open(std::string(kGolden) + "models/tiny-sd/tokenizer"); }

TEST(TokenPieces, AreThoseOfTransformers) {
  std::ifstream file(std::string(kGolden) + "ptp/pieces.json");
  const nlohmann::json golden = nlohmann::json::parse(file).at("pieces");
  ASSERT_EQ(golden.size(), 14u);
  const ClipTokenizer tokenizer = tiny();
  for (const auto& [prompt, expected] : golden.items()) {
    const PromptTokens tokens = tokenizer.tokens(prompt);
    EXPECT_EQ(tokens.prompt, prompt);
    EXPECT_EQ(tokens.ids, expected.at("ids").get<std::vector<int64_t>>()) << prompt;
    EXPECT_EQ(tokens.pieces, expected.at("text").get<std::vector<std::string>>()) << prompt;
    EXPECT_EQ(tokens.max_length, 77);
  }
}

TEST(TokenPieces, OfALongPromptAreNotCut) {
  const ClipTokenizer tokenizer = tiny();
  std::string prompt;
  for (int n = 0; n < 100; ++n) prompt += "cat ";
  const PromptTokens tokens = tokenizer.tokens(prompt);
  EXPECT_EQ(tokens.ids.size(), 102u);
  EXPECT_EQ(tokens.pieces, std::vector<std::string>(100, "cat"));
  EXPECT_EQ(tokenizer.encode(prompt).dropped_tokens, 25);
}

TEST(TokenPieces, OfAnIdWithoutTokenAreEmpty) {
  EXPECT_EQ(tiny().piece(560), "");
  EXPECT_EQ(tiny().piece(-1), "");
}

TEST(TokenText, DecodesBytesAsPythonDoes) {
  EXPECT_EQ(token_text("cat</w>"), "cat");
  EXPECT_EQ(token_text("Ġcat"), "cat");                // a space, stripped
  EXPECT_EQ(token_text("cafÃ©</w>"), "café");          // both bytes of a character
  EXPECT_EQ(token_text("Ã"), "\uFFFD");                // one of its bytes
  EXPECT_EQ(token_text("âĤ"), "\uFFFD");               // E2 82: the start of U+20AC is one ill-formed sequence
  EXPECT_EQ(token_text("©©"), "\uFFFD\uFFFD");         // A9 A9: each is one
  EXPECT_EQ(token_text("ðĿĶa"), "\uFFFDa");            // F0 9D 94 61
  EXPECT_EQ(token_text("ðĢĢ"), "\uFFFD\uFFFD\uFFFD");  // F0 80 80: no prefix of a character
  EXPECT_EQ(token_text("íłĢ"), "\uFFFD\uFFFD\uFFFD");  // ED A0 80: a surrogate
  EXPECT_EQ(token_text("Âłx"), "x");                   // C2 A0: a no-break space, stripped
  EXPECT_EQ(token_text("日</w>"), "日");               // an added token with a letter that is no byte's
  EXPECT_EQ(token_text("<|endoftext|>"), "<|endoftext|>");
  EXPECT_EQ(token_text("ĉĊ</w>"), "");  // white space alone
}

}  // namespace
}  // namespace roundtrip::text
