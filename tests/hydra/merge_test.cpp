// Merging over interpolations (hydra.md 1.7); what else merges to what is in the recorded cases.
#include "hydra/compose/merge.h"

#include <gtest/gtest.h>

#include "hydra/interpolation/interpolation.h"
#include "hydra/tree/yaml.h"
#include "support/error_of.h"

namespace roundtrip::hydra {
namespace {

using testing::kind_of;

Node tree(const std::string& text) { return parse_yaml(text, "test.yaml"); }

std::string merged(const std::string& base, const std::string& over) { return to_yaml(merge(tree(base), tree(over))); }

TEST(Merge, OverAnInterpolationToADictMergesWithACopyOfIt) {
  EXPECT_EQ(merged("{a: '${b}', b: {x: 1}}", "{a: {y: 2}}"), to_yaml(tree("{a: {x: 1, y: 2}, b: {x: 1}}")));
  EXPECT_EQ(kind_of([] { merged("{a: '${b}', b: {x: 1}}", "{a: [2]}"); }), ErrorKind::kType);
}

// OmegaConf does not follow an interpolation that leads to where it stands, so there is nothing to merge with.
TEST(Merge, OverAnInterpolationToTheDictItStandsInReplacesIt) {
  for (const char* to : {"${k}", "${..k}", "${other}"}) {
    const std::string base = fmt::format("{{k: {{k: '{}', x: 1}}, other: '${{k}}'}}", to);
    for (const char* over : {"[1]", "{y: 2}", "3"}) {
      EXPECT_EQ(merged(base, fmt::format("{{k: {{k: {}}}}}", over)),
                to_yaml(tree(fmt::format("{{k: {{k: {}, x: 1}}, other: '${{k}}'}}", over))));
    }
  }
  for (const char* text : {"{k: {k: '${k}'}}", "{k: {k: 'x${..k}'}}", "{k: ['${k}']}", "{a: '${b}', b: {c: '${a}'}}"}) {
    EXPECT_EQ(kind_of([&] { resolve(tree(text)); }), ErrorKind::kInterpolation) << text;
  }
}

}  // namespace
}  // namespace roundtrip::hydra
