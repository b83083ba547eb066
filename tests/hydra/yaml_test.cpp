// Where the YAML dialect is PyYAML's and not YAML 1.2's (hydra.md 1.4). Every type of scalar is in the recorded cases.
#include "hydra/tree/yaml.h"

#include <gtest/gtest.h>

#include "support/error_of.h"

namespace roundtrip::hydra {
namespace {

using testing::kind_of;

Node value_of(const std::string& text) { return *parse_yaml("k: " + text, "test.yaml").find("k"); }

TEST(Yaml, AMergeKeyDoesNotAskForTheTagOfWhatItNames) {
  for (const char* text : {"{<<: {a: 1}}", "{<<: !!float {a: 1}}", "{<<: !x [{a: 1}]}", "{<<: [!!seq {a: 1}]}",
                           "{<<: {<<: !x {a: 1}}}", "{!!merge any: {a: 1}}", "{! '<<': {a: 1}}"}) {
    const Node value = value_of(text);
    ASSERT_NE(value.find("a"), nullptr) << text;
    EXPECT_EQ(value.find("a")->as_int(), 1) << text;
    EXPECT_EQ(value.dict().size(), 1u) << text;
  }
  for (const char* text : {"{'<<': {a: 1}}", "{!!str <<: {a: 1}}"}) EXPECT_TRUE(value_of(text).find("<<")) << text;
}

TEST(Yaml, OfMergedMappingsTheEarlierWinsAndTheirKeysComeFirst) {
  EXPECT_EQ(to_yaml(value_of("{c: 3, <<: [{b: 1, a: 1}, {a: 2, d: 2}]}")), "b: 1\na: 1\nd: 2\nc: 3\n");
  EXPECT_EQ(to_yaml(value_of("{a: 3, <<: {b: 1, a: 1}}")), "b: 1\na: 3\n");
}

TEST(Yaml, AMergeKeyNamesMappingsAndTheirValuesAreTaggedAsEver) {
  for (const char* text :
       {"{<<: !!float x}", "{<<: !!map x}", "{<<: !!null }", "{<<: 1}", "{<<: [[]]}", "{<<: [{}, 1]}",
        "{<<: {a: !x 1}}", "{<<: {a: !!seq {}}}", "{<<: [{a: !!map [1]}]}", "{a: !!float {}}"}) {
    EXPECT_EQ(kind_of([&] { value_of(text); }), ErrorKind::kParse) << text;
  }
}

TEST(Yaml, TheTagWithoutANameLeavesTheTypeToTheText) {
  EXPECT_EQ(value_of("! '15'").kind(), Node::Kind::kInt);
  EXPECT_EQ(value_of("&x ! 15").kind(), Node::Kind::kInt);
  EXPECT_EQ(value_of("'15'").kind(), Node::Kind::kString);
  EXPECT_EQ(value_of("&x '15'").kind(), Node::Kind::kString);
}

TEST(Yaml, KeysThatPythonHoldsEqualAreOneKey) {
  EXPECT_EQ(to_yaml(value_of("{true: a, x: b, 1: c, 1.0: d, '2': e}")), "true: d\nx: b\n'2': e\n");
}

TEST(Yaml, AnEqualsSignIsAKeyAndNoValue) {
  EXPECT_EQ(value_of("{=: 1}").find("=")->as_int(), 1);
  EXPECT_EQ(kind_of([] { value_of("="); }), ErrorKind::kParse);
}

TEST(Yaml, EncodesAnEscapeThatFollowsALongCharacter) {
  const Node node = parse_yaml("k: \"a\u2029\\_b\u00e9\\N\"", "escapes.yaml");
  EXPECT_EQ(node.find("k")->as_string(), "a\u2029\u00a0b\u00e9\u0085");
}

TEST(Yaml, MergedKeysAreOneWherePythonHoldsThemEqual) {
  const Node node = parse_yaml("<<: {0: a, 1.0: b}\nno: c\n1: d\n", "merged.yaml");
  EXPECT_EQ(node.dict().keys(), (std::vector<std::string>{"0", "1.0"}));  // as spelled first
  EXPECT_EQ(node.find("0")->as_string(), "c");
}

}  // namespace
}  // namespace roundtrip::hydra
