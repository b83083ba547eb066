// Replace and Refine: 60 matrices and 196 alignments of tests/golden/ptp/mappers.json, both tails, and what must hold
// for any two prompts.
#include "editing/token_map.h"

#include <gtest/gtest.h>

#include "support/error_of.h"
#include "support/ptp_golden.h"

namespace roundtrip::editing {
namespace {

using at::Tensor;
using testing::error_of;
using testing::golden_tokens;
using testing::ptp_golden;
using text::PromptTokens;

constexpr int64_t L = 77;

Tensor matrix_of(const nlohmann::json& entry) {
  Tensor P = at::zeros({L, L}, at::kFloat);
  for (const auto& j : entry["identity_columns"]) P[j.get<int64_t>()][j.get<int64_t>()] = 1;
  for (const auto& each : entry["other"]) P[each[0].get<int64_t>()][each[1].get<int64_t>()] = each[2].get<double>();
  return P;
}

// The source column of each target column, -1 where it is not known; checks that there is one at most.
std::vector<int64_t> sources_of(const TokenMap& map) {
  EXPECT_TRUE(at::equal(map.P.sum(0), map.known));
  EXPECT_TRUE(at::equal(map.P, (map.P == 1).to(at::kFloat)));
  const Tensor m = at::where(map.known == 1, map.P.argmax(0), -1);
  return {m.data_ptr<int64_t>(), m.data_ptr<int64_t>() + m.numel()};
}

PromptTokens long_prompt(size_t tokens) {
  PromptTokens prompt{.prompt = "a", .ids = std::vector<int64_t>(tokens, 320), .pieces = {}};
  for (size_t i = 1; i + 2 < tokens; ++i) prompt.prompt += " a";
  prompt.pieces.assign(tokens - 2, "a");
  return prompt;
}

TEST(Replace, GivesTheMatricesOfThePublishedCodeWithEitherTail) {
  int matrices = 0;
  for (const nlohmann::json& each : ptp_golden().at("replace")) {
    const PromptTokens source = golden_tokens(each[0]), target = golden_tokens(each[1]);
    const Tail tail = each[2] == "released" ? Tail::kReleased : Tail::kShifted;
    ASSERT_TRUE(can_replace(source, target));
    ++matrices;
    if (each[3].is_string()) {
      const std::string error = error_of([&] { replace_map(source, target, tail); });
      EXPECT_NE(error.find("differs between the prompts and has no tokens here"), std::string::npos) << error;
      continue;
    }
    const TokenMap map = replace_map(source, target, tail);
    EXPECT_TRUE(at::equal(map.P, matrix_of(each[3]))) << each[0] << each[1] << each[2];
    EXPECT_TRUE(at::equal(map.known, at::ones({L})));
  }
  EXPECT_EQ(matrices, 60);
}

TEST(Replace, RefusesPromptsWithOtherNumbersOfWords) {
  const PromptTokens source = golden_tokens("cat"), target = golden_tokens("a cat and a dog");
  EXPECT_FALSE(can_replace(source, target));
  EXPECT_EQ(
      error_of([&] { replace_map(source, target, Tail::kShifted); }),
      "Replace: the source prompt 'cat' has 1 word and the target prompt 'a cat and a dog' has 5 words between single "
      "spaces; expected as many in both. Use Refine");
}

TEST(Replace, NamesAChangedWordWithoutTokens) {
  const PromptTokens source = golden_tokens("a cat and a dog"), target = golden_tokens("#1 dog on the left");
  const std::string error = error_of([&] { replace_map(source, target, Tail::kShifted); });
  EXPECT_NE(error.find("prompt '#1 dog on the left': word 4, 'the',"), std::string::npos) << error;
}

// Shifted, each column behind the change has the weight of one source column; released, the words there are wrong.
TEST(Replace, ShiftedTailReadsTheSameWordOfTheSource) {
  const PromptTokens source = golden_tokens("a photo of a yellow circle on the right"),
                     target = golden_tokens("a photo of a red circle on the left");
  const Tensor shifted = replace_map(source, target, Tail::kShifted).P;
  const Tensor released = replace_map(source, target, Tail::kReleased).P;
  const int64_t end_source = 15, end_target = 10;
  EXPECT_EQ(shifted[end_source][end_target].item<float>(), 1);
  EXPECT_EQ(released[end_target][end_target].item<float>(), 1);
  EXPECT_EQ(shifted.slice(1, L - 5).abs().sum().item<float>(), 0);  // past the source's last column there is none
}

TEST(Refine, GivesTheAlignmentsOfThePublishedCode) {
  int alignments = 0;
  for (const nlohmann::json& each : ptp_golden().at("refine")) {
    const PromptTokens source = golden_tokens(each[0]), target = golden_tokens(each[1]);
    const auto expected = each[2].get<std::vector<int64_t>>();
    for (const Tail tail : {Tail::kShifted, Tail::kReleased}) {
      const std::vector<int64_t> m = sources_of(refine_map(source, target, tail));
      EXPECT_EQ(std::vector<int64_t>(m.begin(), m.begin() + target.ids.size()), expected) << each[0] << each[1];
      const int64_t shift = static_cast<int64_t>(source.ids.size()) - static_cast<int64_t>(target.ids.size());
      for (int64_t n = target.ids.size(); n < L; ++n) {
        const int64_t from = tail == Tail::kReleased ? n : n + shift;
        EXPECT_EQ(m[n], from < L ? from : -1) << each[0] << each[1] << n;
      }
    }
    ++alignments;
  }
  EXPECT_EQ(alignments, 196);
}

TEST(Refine, PairsOnlyEqualTokensInTheirOrder) {
  for (const nlohmann::json& each : ptp_golden().at("refine")) {
    const PromptTokens source = golden_tokens(each[0]), target = golden_tokens(each[1]);
    const std::vector<int64_t> m = sources_of(refine_map(source, target, Tail::kShifted));
    int64_t last = -1;
    for (size_t n = 0; n < target.ids.size(); ++n) {
      if (m[n] < 0) continue;
      EXPECT_EQ(source.ids.at(m[n]), target.ids[n]);
      EXPECT_GT(m[n], last);
      last = m[n];
    }
  }
}

TEST(TokenMaps, OfAPromptOntoItselfAreTheIdentity) {
  for (const auto& [prompt, entry] : ptp_golden().at("pieces").items()) {
    const PromptTokens tokens = golden_tokens(prompt);
    for (const Tail tail : {Tail::kShifted, Tail::kReleased}) {
      for (const TokenMap& map : {replace_map(tokens, tokens, tail), refine_map(tokens, tokens, tail)}) {
        EXPECT_TRUE(at::equal(map.P, at::eye(L))) << prompt;
        EXPECT_TRUE(at::equal(map.known, at::ones({L}))) << prompt;
      }
    }
  }
}

TEST(TokenMaps, ReachUpToTheLastColumnAndRefuseMore) {
  const PromptTokens full = long_prompt(L), more = long_prompt(L + 1);
  EXPECT_TRUE(at::equal(refine_map(full, full, Tail::kShifted).P, at::eye(L)));
  EXPECT_TRUE(at::equal(replace_map(full, full, Tail::kReleased).P, at::eye(L)));
  for (const auto& map : {&replace_map, &refine_map}) {
    for (const auto& [source, target] : {std::pair(full, more), std::pair(more, full)}) {
      const std::string error = error_of([&] { map(source, target, Tail::kShifted); });
      EXPECT_NE(error.find("has 78 tokens with its marks; expected at most 77"), std::string::npos) << error;
    }
  }
}

}  // namespace
}  // namespace roundtrip::editing
