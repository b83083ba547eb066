// The home of modules, with environments and modules made here.
#include "metrics/module_home.h"

#include <cstdlib>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/script.h>

#include "metrics/pair.h"
#include "support/error_of.h"
#include "support/scratch_folder.h"

namespace roundtrip::metrics {
namespace {

using ::roundtrip::testing::error_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Sets or unsets a variable, and restores it.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    set(value);
  }
  ~Variable() { set(before_ ? before_->c_str() : nullptr); }
  Variable(const Variable&) = delete;

 private:
  void set(const char* value) { value ? ::setenv(name_, value, 1) : ::unsetenv(name_); }

  const char* name_;
  std::optional<std::string> before_;
};

class ModuleHome : public ::testing::Test {
 protected:
  // A module that finds pictures as far apart as they are, times `factor`.
  std::filesystem::path write_lpips(const std::string& name, const std::string& net, int factor = 1) {
    torch::jit::Module module("Lpips");
    module.define("def forward(self, a, b):\n  return " + std::to_string(factor) +
                  " * (a - b).abs().mean([1, 2, 3])\n");
    const std::filesystem::path file = folder_.path() / name;
    module.save(file.string(), {{"lpips.json", R"({"net": ")" + net + R"(", "version": "0.1",
                                "trunk_sha256": "0123456789abcdef", "heads_sha256": "fedcba9876543210"})"}});
    return file;
  }

  static MetricParams section(std::map<std::string, config::Params::Value> values) {
    return {{"lpips", config::Params("metric.lpips", std::move(values))}};
  }

  double score(const MetricParams& params) const {
    const Tensor half = at::full({1, 3, 32, 32}, 0.5);
    return make_metric("lpips", params)->score(pair(half, half + 0.25)).item<double>();
  }

  ScratchFolder folder_;
  Variable here_{"ROUNDTRIP_METRICS", folder_.path().c_str()};
};

TEST(HomeOfModules, IsTheFirstOfThreePlaces) {
  const Variable own("ROUNDTRIP_METRICS", "/a/b"), data("XDG_DATA_HOME", "/data"), home("HOME", "/me");
  EXPECT_EQ(home_of_modules(), "/a/b");
  {
    const Variable unset("ROUNDTRIP_METRICS", nullptr);
    EXPECT_EQ(home_of_modules(), "/data/roundtrip/metrics");
    const Variable relative("XDG_DATA_HOME", "data");  // which its specification ignores
    EXPECT_EQ(home_of_modules(), "/me/.local/share/roundtrip/metrics");
    const Variable empty("XDG_DATA_HOME", "");
    EXPECT_EQ(home_of_modules(), "/me/.local/share/roundtrip/metrics");
    const Variable homeless("HOME", nullptr);
    EXPECT_EQ(home_of_modules(), "");
    EXPECT_THAT(make_metric("lpips")->unavailable(), HasSubstr("there is no lpips-squeeze.pt in the home of modules"));
  }
}

TEST_F(ModuleHome, HasTheModuleOfTheNetworkThatIsAskedFor) {
  EXPECT_THAT(make_metric("lpips", section({{"net", "alex"}}))->unavailable(),
              HasSubstr("there is no lpips-alex.pt in " + folder_.path().string()));
  write_lpips("lpips-squeeze.pt", "squeeze");
  write_lpips("lpips-alex.pt", "alex", 2);
  EXPECT_DOUBLE_EQ(score({}), 0.5);
  EXPECT_DOUBLE_EQ(score(section({{"path", std::monostate()}, {"net", "squeeze"}})), 0.5);
  EXPECT_DOUBLE_EQ(score(section({{"path", std::monostate()}, {"net", "alex"}})), 1);
  EXPECT_THAT(error_of([&] { score(section({{"net", "alexnet"}})); }, ErrorKind::kType),
              HasSubstr("metric.lpips.net: found 'alexnet' of type str; expected one of [alex, squeeze, vgg]"));
}

TEST_F(ModuleHome, AModuleUnderTheNameOfAnotherIsRefused) {
  const std::filesystem::path file = write_lpips("lpips-vgg.pt", "alex");
  EXPECT_EQ(error_of([&] { score(section({{"net", "vgg"}})); }),
            "metric.lpips.path: " + file.string() + ": holds the network 'alex'; expected 'vgg' (metric.lpips.net)");
}

TEST_F(ModuleHome, APathComesFirst) {
  write_lpips("lpips-squeeze.pt", "squeeze");
  const std::string own = write_lpips("own.pt", "squeeze", 3);
  EXPECT_DOUBLE_EQ(score(section({{"path", own}, {"net", "squeeze"}})), 1.5);
  EXPECT_THAT(error_of([&] { score(section({{"path", folder_.path() / "x.pt"}})); }), HasSubstr("x.pt: no such file"));
}

// A run's digest and provenance list what it reads.
TEST_F(ModuleHome, IsAmongTheFilesOfMetricsThatReadIt) {
  EXPECT_THAT(metric_files({}, {"lpips", "mse"}), IsEmpty());
  const std::filesystem::path file = write_lpips("lpips-squeeze.pt", "squeeze");
  EXPECT_THAT(metric_files({}, {"lpips", "mse"}), ElementsAre(std::pair("metric.lpips.path", file)));
  EXPECT_THAT(metric_files(section({{"path", std::monostate()}}), {"lpips"}),
              ElementsAre(std::pair("metric.lpips.path", file)));
  EXPECT_THAT(metric_files(section({{"path", "own.pt"}}), {"lpips"}),
              ElementsAre(std::pair("metric.lpips.path", "own.pt")));
  EXPECT_THAT(metric_files(section({{"net", "vgg"}}), {"lpips"}), IsEmpty());
  EXPECT_THAT(metric_files({}, {"mse"}), IsEmpty());
}

}  // namespace
}  // namespace roundtrip::metrics
