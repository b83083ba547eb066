// Every statistic that SciPy has too, against SciPy's answers (tests/parity/statistics_golden.py), to 1e-10.
#include <cmath>

#include <gtest/gtest.h>

#include "analysis/statistics/description.h"
#include "analysis/statistics/distributions.h"
#include "analysis/statistics/interval.h"
#include "analysis/statistics/line.h"
#include "analysis/statistics/mann_whitney.h"
#include "analysis/statistics/wilcoxon.h"
#include "base/json.h"

namespace roundtrip::analysis {
namespace {

using nlohmann::json;

const json& golden() {
  static const json values =
      read_json(std::filesystem::path(ROUNDTRIP_SOURCE_DIR) / "tests/golden/statistics/statistics.json");
  return values;
}

void expect_equal(double found, double expected, const std::string& what) {
  EXPECT_NEAR(found, expected, 1e-10 * std::max(std::abs(expected), 1e-290)) << what;
}

void expect_interval(const Interval& found, const json& expected, const std::string& what) {
  expect_equal(found.low, expected.at(0), what + ", low");
  expect_equal(found.high, expected.at(1), what + ", high");
}

constexpr std::pair<const char*, Alternative> kAlternatives[] = {
    {"two-sided", Alternative::kTwoSided}, {"less", Alternative::kLess}, {"greater", Alternative::kGreater}};

TEST(StatisticsGolden, Distributions) {
  for (const json& row : golden().at("normal_cdf")) expect_equal(normal_cdf(row[0]), row[1], "normal " + row.dump());
  for (const json& row : golden().at("normal_quantile")) {
    expect_equal(normal_quantile(row[0]), row[1], "normal quantile " + row.dump());
  }
  for (const json& row : golden().at("student_cdf")) {
    expect_equal(student_cdf(row[0], row[1]), row[2], "student " + row.dump());
  }
  for (const json& row : golden().at("student_quantile")) {
    expect_equal(student_quantile(row[0], row[1]), row[2], "student quantile " + row.dump());
  }
}

TEST(StatisticsGolden, Samples) {
  for (const auto& [name, sample] : golden().at("samples").items()) {
    const auto values = sample.at("values").get<std::vector<double>>();
    const Description description = describe(values);
    expect_equal(description.mean, sample.at("mean"), name + " mean");
    expect_equal(description.median, sample.at("median"), name + " median");
    expect_equal(description.deviation, sample.at("deviation"), name + " deviation");
    expect_equal(description.low_quartile, sample.at("quartiles")[0], name + " low quartile");
    expect_equal(description.high_quartile, sample.at("quartiles")[1], name + " high quartile");
    expect_interval(student_interval(values), sample.at("student"), name + " Student");
    expect_interval(bootstrap_interval(values, {.seed = sample.at("seed")}), sample.at("bootstrap"), name + " BCa");
    for (const auto& [kind, alternative] : kAlternatives) {
      expect_equal(wilcoxon(values, alternative).p, sample.at("wilcoxon").at(kind), name + " Wilcoxon " + kind);
    }
  }
}

TEST(StatisticsGolden, TwoSamples) {
  for (const json& two : golden().at("two")) {
    const auto a = two.at("a").get<std::vector<double>>(), b = two.at("b").get<std::vector<double>>();
    for (const auto& [kind, alternative] : kAlternatives) {
      const RankSum found = mann_whitney(a, b, alternative);
      expect_equal(found.u, two.at("u"), "U");
      expect_equal(found.p, two.at("p").at(kind), std::string("Mann-Whitney ") + kind);
    }
  }
}

TEST(StatisticsGolden, Lines) {
  for (const json& line : golden().at("lines")) {
    const Line found = fit_power_law(line.at("x").get<std::vector<double>>(), line.at("y").get<std::vector<double>>());
    expect_equal(found.slope, line.at("slope"), "slope");
    expect_equal(found.intercept, line.at("intercept"), "intercept");
    expect_equal(found.slope_error, line.at("slope_error"), "slope error");
    expect_interval(found.slope_interval, line.at("slope_interval"), "slope");
  }
}

}  // namespace
}  // namespace roundtrip::analysis
