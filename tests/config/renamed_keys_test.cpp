#include "hydra/compose/renamed_keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hydra/tree/yaml.h"

namespace roundtrip::hydra {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(RenamedKeys, AreThoseOfASectionAndOfWhatIsInIt) {
  EXPECT_EQ(renamed("lpips.path"), "metric.lpips.path");
  EXPECT_EQ(renamed("attributes"), "metric.attribute_accuracy");
  for (const char* other : {"lpips_path", "metric.lpips.path", "path", ""}) EXPECT_FALSE(renamed(other)) << other;
}

TEST(RenamedKeys, OfOverridesAreAcceptedWithOneWarningEach) {
  std::vector<Override> overrides = parse_overrides({"steps=3", "lpips.path=a.pt", "~clip.path", "lpips.path=b.pt"});
  std::vector<std::string> warnings;
  rename_keys(overrides, warnings);
  EXPECT_EQ(overrides[0].key, "steps");
  EXPECT_EQ(overrides[1].key, "metric.lpips.path");
  EXPECT_EQ(overrides[2].key_text(), "~metric.clip_similarity.path");
  EXPECT_THAT(
      warnings,
      ElementsAre("command line: lpips.path is now called metric.lpips.path; the old name still works",
                  "command line: clip.path is now called metric.clip_similarity.path; the old name still works"));
}

TEST(RenamedKeys, OfAConfigMoveToTheirPlaces) {
  Node config = parse_yaml("steps: 3\nmetric: {lpips: {path: null}}\nlpips: {path: a.pt}\n", "mine.yaml");
  std::vector<std::string> warnings;
  rename_keys(config, warnings);
  EXPECT_EQ(config.find("lpips"), nullptr);
  EXPECT_EQ(config.find("metric.lpips.path")->as_string(), "a.pt");
  EXPECT_THAT(warnings,
              ElementsAre("mine.yaml:3: lpips.path is now called metric.lpips.path; the old name still works"));
}

TEST(RenamedKeys, YieldToAValueUnderTodaysName) {
  Node config = parse_yaml("metric: {lpips: {path: new.pt}}\nlpips: {path: old.pt}\n", "mine.yaml");
  std::vector<std::string> warnings;
  rename_keys(config, warnings);
  EXPECT_EQ(config.find("metric.lpips.path")->as_string(), "new.pt");
}

TEST(RenamedKeys, LeaveOtherConfigsAlone) {
  Node config = parse_yaml("steps: 3\nmetric: {lpips: {path: null}}\n", "mine.yaml");
  const Node before = config;
  std::vector<std::string> warnings;
  rename_keys(config, warnings);
  EXPECT_EQ(config, before);
  EXPECT_THAT(warnings, IsEmpty());
}

}  // namespace
}  // namespace roundtrip::hydra
