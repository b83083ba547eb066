// The linear form of a step's edit against maps edited in place, as the paper tells it.
#include "editing/cross_edit.h"

#include <gtest/gtest.h>

#include "support/ptp_golden.h"

namespace roundtrip::editing {
namespace {

using at::Tensor;
using testing::golden_tokens;

constexpr int64_t L = 77, kPixels = 16;
const std::string kSource = "a photo of a red circle on the left", kSwapped = "a photo of a yellow circle on the right",
                  kLonger = "a photo of a large red circle on the left", kShorter = "a red circle on the left";

class CrossEditTest : public ::testing::Test {
 protected:
  Tensor random_map() { return at::softmax(3 * at::randn({kPixels, L}, generator), 1); }
  Tensor random_row() { return at::randn({L}, generator); }
  Tensor some_columns() { return (at::rand({L}, generator) > 0.5).to(at::kFloat); }

  // The target's map, edited column by column.
  Tensor edited(const TokenMap& map, const Tensor& alpha, const Tensor& e) const {
    Tensor result = A_tgt.clone();
    for (int64_t n = 0; n < L; ++n) {
      if (alpha[n].item<float>() == 0) continue;
      const Tensor mapped = map.known[n].item<float>() == 1 ? A_src.matmul(map.P.select(1, n)) : A_tgt.select(1, n);
      result.select(1, n).copy_(e[n] * mapped);
    }
    return result;
  }

  Tensor linear(const CrossEdit& edit) const { return A_src.matmul(edit.P) + A_tgt * edit.d; }

  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(7);
  Tensor A_src = random_map(), A_tgt = random_map();
};

std::vector<TokenMap> maps() {
  std::vector<TokenMap> all;
  for (const Tail tail : {Tail::kShifted, Tail::kReleased}) {
    all.push_back(replace_map(golden_tokens(kSource), golden_tokens(kSwapped), tail));
    all.push_back(replace_map(golden_tokens(kSwapped), golden_tokens(kSource), tail));
    all.push_back(refine_map(golden_tokens(kSource), golden_tokens(kLonger), tail));
    all.push_back(refine_map(golden_tokens(kSource), golden_tokens(kShorter), tail));
  }
  return all;
}

double difference(const Tensor& a, const Tensor& b) { return (a - b).abs().max().item<double>(); }

TEST_F(CrossEditTest, IsTheEditOfTheMaps) {
  for (const TokenMap& map : maps()) {
    const Tensor alpha = some_columns();
    for (const Tensor& e : {at::ones({L}), 1 + some_columns(), random_row()}) {  // random factors: half are negative
      EXPECT_LT(difference(linear(cross_edit(map, alpha, e)), edited(map, alpha, e)), 1e-6);
    }
  }
}

TEST_F(CrossEditTest, AndThatOfTheLayersOutput) {
  const Tensor v = at::randn({L, 8}, generator), alpha = some_columns(), e = random_row();
  for (const TokenMap& map : maps()) {
    const CrossEdit edit = cross_edit(map, alpha, e);
    const Tensor routed = A_src.matmul(edit.P.matmul(v)) + A_tgt.matmul(edit.d.unsqueeze(1) * v);
    EXPECT_LT(difference(routed, edited(map, alpha, e).matmul(v)), 1e-5);
  }
}

TEST_F(CrossEditTest, OutsideItsWindowAColumnIsTheTargetsOwnToTheBit) {
  for (const TokenMap& map : maps()) {
    const CrossEdit edit = cross_edit(map, at::zeros({L}), random_row());
    EXPECT_TRUE(at::equal(edit.P, at::zeros({L, L})));
    EXPECT_TRUE(at::equal(edit.d, at::ones({L})));
  }
}

TEST_F(CrossEditTest, OfAPromptOntoItselfIsTheSourcesMapTimesTheEqualizer) {
  const auto source = golden_tokens(kSource);
  const Tensor e = random_row();
  for (const TokenMap& map :
       {replace_map(source, source, Tail::kShifted), refine_map(source, source, Tail::kShifted)}) {
    const CrossEdit edit = cross_edit(map, at::ones({L}), e);
    EXPECT_TRUE(at::equal(edit.P, at::diag(e)));
    EXPECT_TRUE(at::equal(edit.d, at::zeros({L})));
  }
}

// A factor scales a new word's own attention too.
TEST_F(CrossEditTest, ANewWordOfRefineKeepsItsOwnAttentionTimesItsFactor) {
  const TokenMap map = refine_map(golden_tokens(kSource), golden_tokens(kLonger), Tail::kShifted);
  Tensor e = at::ones({L});
  const int64_t large = 5;
  e[large] = -2;
  const CrossEdit edit = cross_edit(map, at::ones({L}), e);
  EXPECT_EQ(edit.P.select(1, large).abs().sum().item<float>(), 0);
  EXPECT_EQ(edit.d[large].item<float>(), -2);
}

}  // namespace
}  // namespace roundtrip::editing
