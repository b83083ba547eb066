// What the statistics do where SciPy has no say: nothing to count, one value, infinities, ties in Holm and Pareto.
#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/statistics/description.h"
#include "analysis/statistics/holm.h"
#include "analysis/statistics/interval.h"
#include "analysis/statistics/line.h"
#include "analysis/statistics/mann_whitney.h"
#include "analysis/statistics/pareto.h"
#include "analysis/statistics/wilcoxon.h"

namespace roundtrip::analysis {
namespace {

using testing::ElementsAre;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(Describe, CountsWhatItLeavesOut) {
  const Description found = describe(std::vector<double>{20, kNaN, 30, kInfinity, kNaN});
  EXPECT_EQ(found.n, 2);
  EXPECT_EQ(found.missing, 2);
  EXPECT_EQ(found.infinite, 1);
  EXPECT_EQ(found.mean, 25);
}

TEST(Describe, ClaimsNothingOfNothing) {
  const Description found = describe(std::vector<double>{kNaN});
  EXPECT_EQ(found.n, 0);
  EXPECT_TRUE(std::isnan(found.mean) && std::isnan(found.median) && std::isnan(found.deviation));
}

TEST(Describe, KeepsTheDigitsOfLargeOffsets) {
  EXPECT_EQ(describe(std::vector<double>{1e9 + 1, 1e9 + 2, 1e9 + 3}).deviation, 1);
}

TEST(Interval, IsNotClaimedOfOneValue) {
  const std::vector<double> one = {3.5};
  EXPECT_FALSE(bootstrap_interval(one).known());
  EXPECT_FALSE(student_interval(one).known());
}

TEST(Interval, OfEqualValuesIsThatValue) {
  const Interval found = bootstrap_interval(std::vector<double>{2, 2, 2});
  EXPECT_EQ(found.low, 2);
  EXPECT_EQ(found.high, 2);
}

TEST(Interval, DependsOnItsSeedAlone) {
  const std::vector<double> values = {1, 2, 4, 8, 16, 32};
  const Interval first = bootstrap_interval(values, {.seed = 1}), again = bootstrap_interval(values, {.seed = 1});
  EXPECT_EQ(first.low, again.low);
  EXPECT_EQ(first.high, again.high);
  EXPECT_NE(first.high, bootstrap_interval(values, {.seed = 2}).high);
}

TEST(Wilcoxon, OfNoDifferenceSaysSo) {
  EXPECT_EQ(wilcoxon(std::vector<double>{0, 0, 0}).p, 1);
  EXPECT_TRUE(std::isnan(wilcoxon({}).p));
}

TEST(MannWhitney, OfOneConstantSaysSo) {
  const std::vector<double> same = {4, 4, 4};
  EXPECT_EQ(mann_whitney(same, same).p, 1);
  EXPECT_TRUE(std::isnan(mann_whitney(same, {}).p));
}

TEST(Holm, StepsDownAndNeverBack) {
  // By hand: 0.01*4, max(0.04, 0.02*3), max(0.06, 0.03*2), max(0.06, 0.04*1).
  EXPECT_THAT(holm(std::vector<double>{0.04, 0.01, 0.03, 0.02}), ElementsAre(0.06, 0.04, 0.06, 0.06));
  EXPECT_THAT(holm(std::vector<double>{0.9, 0.8}), ElementsAre(1, 1));
}

TEST(Holm, LeavesOutWhatIsNoTest) {
  const std::vector<double> adjusted = holm(std::vector<double>{kNaN, 0.02});
  EXPECT_TRUE(std::isnan(adjusted[0]));
  EXPECT_EQ(adjusted[1], 0.02);
}

TEST(PowerLaw, IsExactOnOne) {
  const Line line = fit_power_law(std::vector<double>{1, 10, 100}, std::vector<double>{5, 0.05, 0.0005});
  EXPECT_NEAR(line.slope, -2, 1e-12);
  EXPECT_NEAR(line.slope_interval.half_width(), 0, 1e-12);
}

TEST(PowerLaw, ClaimsNoIntervalOfTwoPointsAndLeavesOutZeros) {
  const Line line = fit_power_law(std::vector<double>{1, 10, 100}, std::vector<double>{5, 0.5, 0});
  EXPECT_EQ(line.n, 2);
  EXPECT_NEAR(line.slope, -1, 1e-12);
  EXPECT_FALSE(line.slope_interval.known());
}

TEST(Pareto, KeepsWhatNothingBeats) {
  const std::vector<double> cost = {100, 10, 50, 50, kNaN, 50}, quality = {30, 20, 25, 18, 99, 25};
  EXPECT_THAT(pareto_front(cost, quality, true), ElementsAre(1, 2, 5, 0));
  EXPECT_THAT(pareto_front(cost, quality, false), ElementsAre(1, 3));
}

}  // namespace
}  // namespace roundtrip::analysis
