// Input that is meant to hurt: each a clean error soon, in memory that fits it.
#include <ctime>

#include <gtest/gtest.h>

#include "base/error.h"
#include "hydra/compose/compose.h"
#include "hydra/interpolation/interpolation.h"
#include "hydra/tree/yaml.h"
#include "support/temporary_folder.h"

namespace roundtrip::hydra {
namespace {

constexpr size_t kManyBytes = 10'000'000;
#ifdef __SANITIZE_ADDRESS__
constexpr double kSeconds = 60;  // a sanitizer takes ten times as long and more
#else
constexpr double kSeconds = 1;
#endif

std::string repeated(const std::string& text, size_t times) {
  std::string out;
  for (size_t k = 0; k < times; ++k) out += text;
  return out;
}

// The error of an action, which must come soon; a kind of kInternal where there was none. The processor's time counts:
// a busy machine is no fault of the action's.
template <typename Action>
Error error_soon(Action action) {
  const std::clock_t start = std::clock();
  Error error(ErrorKind::kInternal, "no error");
  try {
    action();
  } catch (const Error& thrown) {
    error = thrown;
  }
  EXPECT_LT(static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC, kSeconds) << error.message().substr(0, 200);
  EXPECT_LT(error.message().size(), 1000u) << "a message that repeats the input";
  return error;
}

TEST(BadInput, AnAliasBombIsCounted) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int k = 1; k < 12; ++k) {
    text +=
        fmt::format("a{0}: &a{0} [*a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}]\n", k, k - 1);
  }
  const Error error = error_soon([&] { parse_yaml(text, "bomb.yaml"); });
  EXPECT_EQ(error.kind(), ErrorKind::kParse);
  EXPECT_NE(error.message().find("after aliases are expanded"), std::string::npos) << error.message();
}

TEST(BadInput, AnAliasInsideItsOwnNode) {
  EXPECT_EQ(error_soon([] { parse_yaml("a: &x [*x]\n", "self.yaml"); }).kind(), ErrorKind::kParse);
}

TEST(BadInput, DeepNestingIsRefusedWhereItGetsTooDeep) {
  for (const std::string& text :
       {repeated("[", 10'000), repeated("{a: ", 10'000), repeated("[", 10'000) + repeated("]", 10'000),
        repeated("- ", 10'000) + "x", repeated("? ", 10'000) + "x"}) {
    const Error error = error_soon([&] { parse_yaml("a:\n  " + text, "deep.yaml"); });
    EXPECT_EQ(error.kind(), ErrorKind::kParse) << text.substr(0, 10) << error.message();
  }
  EXPECT_EQ(error_soon([] { parse_override("a=" + repeated("[", 10'000)); }).kind(), ErrorKind::kParse);
  EXPECT_EQ(error_soon([] { parse_override("a=" + repeated("{a:", 10'000)); }).kind(), ErrorKind::kParse);
  EXPECT_EQ(error_soon([] { parse_override("a=" + repeated("sort(", 10'000)); }).kind(), ErrorKind::kParse);
  const Node root{Dict{}};
  for (const char* opening : {"${", "${oc.select:", "${oc.create:[", "${a."}) {
    EXPECT_EQ(error_soon([&] { resolve_text(root, repeated(opening, 10'000), "k"); }).kind(), ErrorKind::kInterpolation)
        << opening;
  }
}

TEST(BadInput, LongFilesAreRefusedAndThoseThatAreNotAreReadSoon) {
  for (const std::string& text : {"a: " + std::string(kManyBytes, 'x'), repeated("- x\n", kManyBytes / 4)}) {
    const Error error = error_soon([&] { parse_yaml(text, "long.yaml"); });
    EXPECT_EQ(error.kind(), ErrorKind::kParse);
    EXPECT_NE(error.message().find("expected at most 1.0 MiB"), std::string::npos) << error.message();
  }
  constexpr size_t kMost = size_t{1} << 20;
  const std::string text = "a: " + std::string(kMost - 10, 'x') + "\n";
  EXPECT_EQ(
      error_soon([&] { EXPECT_EQ(parse_yaml(text, "long.yaml").find("a")->as_string().size(), kMost - 10); }).kind(),
      ErrorKind::kInternal);
  for (const std::string& hard :
       {std::string(kMost - 10, '1'), std::string(kMost - 20, '1') + ".e5x", repeated("1:", kMost / 2 - 10),
        repeated("1_", kMost / 2 - 10), "[" + repeated("1,", kMost / 2 - 10) + "]",
        "'" + repeated("''", kMost / 2 - 10) + "'"}) {
    error_soon([&] { parse_yaml("a: " + hard, "long.yaml"); });
  }
}

TEST(BadInput, LongOverridesAreRefusedAndThoseThatAreNotAreReadSoon) {
  EXPECT_EQ(error_soon([] { parse_override("a=" + std::string(kManyBytes, 'x')); }).kind(), ErrorKind::kParse);
  constexpr size_t kMost = size_t{127} << 10;
  std::string keys;
  for (int k = 0; keys.size() < kMost; ++k) keys += fmt::format("{}k{}:1", k == 0 ? "" : ",", k);
  const std::string items = repeated("1,", kMost / 2) + "1", open = repeated("${", kMost / 2);
  const std::string texts[] = {std::string(kMost, '1'), "{" + keys + "}",      items, "[" + items + "]",
                               "sort(" + items + ")",   repeated("\\", kMost), open,  "'" + repeated("\\'", kMost / 2)};
  for (const std::string& text : texts) {
    const Error error = error_soon([&] { parse_override("a=" + text).text(); });
    EXPECT_LT(error.details().size(), 2000u) << "details that repeat the input";
  }
}

TEST(BadInput, BytesThatAreNoText) {
  EXPECT_EQ(error_soon([] { parse_yaml(std::string("a: \0b", 5), "nul.yaml"); }).message(),
            "nul.yaml:1:4: found the control character 0x00; expected text");
  EXPECT_EQ(error_soon([] { parse_yaml("a: \xff\xfe", "latin.yaml"); }).message(), "latin.yaml: not UTF-8 text");
  EXPECT_EQ(error_soon([] { parse_override("a=\xff"); }).kind(), ErrorKind::kParse);
  EXPECT_EQ(error_soon([] { parse_override(std::string("a=\0b", 4)); }).kind(), ErrorKind::kParse);
}

TEST(BadInput, ConfigsThatIncludeEachOther) {
  const testing::TemporaryFolder folder;
  folder.write("config.yaml", "defaults: [a/x, _self_]\n");
  folder.write("a/x.yaml", "defaults: [/b/y]\n");
  folder.write("b/y.yaml", "defaults: [/a/x]\n");
  folder.write("twice.yaml", "defaults: [a2/x]\n");
  folder.write("a2/x.yaml", "defaults: [/a2/x, /a2/x]\n");
  SearchPath path;
  path.add_folder("main", folder.path());
  for (const char* name : {"config", "twice"}) {
    const Error error = error_soon([&] { Composer(path, name).compose(std::vector<Override>{}); });
    EXPECT_EQ(error.kind(), ErrorKind::kCompose);
    EXPECT_NE(error.message().find("a cycle?"), std::string::npos) << error.message();
  }
}

TEST(BadInput, InterpolationsThatGrowOrTurnInCircles) {
  Dict circle;
  circle.set("a", Node("${b}"));
  circle.set("b", Node("x${c.d}"));
  circle.set("c", Node("${a}"));
  EXPECT_EQ(error_soon([&] { resolve(Node(circle)); }).message(), "Recursive interpolation detected");

  Dict doubling;  // 2^40 characters
  doubling.set("t0", Node("xx"));
  for (int k = 1; k <= 40; ++k) doubling.set(fmt::format("t{}", k), Node(fmt::format("${{t{0}}}${{t{0}}}", k - 1)));
  EXPECT_EQ(error_soon([&] { resolve(Node(doubling)); }).kind(), ErrorKind::kInterpolation);

  Dict lists;  // 2^40 items
  lists.set("l0", Node(Node::List{Node("${x}"), Node("${x}")}));
  lists.set("x", Node(1));
  for (int k = 1; k <= 40; ++k) {
    const std::string below = fmt::format("${{l{}}}", k - 1);
    lists.set(fmt::format("l{}", k), Node(Node::List{Node(below), Node(below)}));
  }
  EXPECT_EQ(error_soon([&] { resolve(Node(lists)); }).kind(), ErrorKind::kInterpolation);
}

TEST(BadInput, ResolversThatMakeMoreThanTheyRead) {
  Dict many;
  std::string keys;
  for (int k = 0; k < 50'000; ++k) {
    many.set(fmt::format("k{}", k), Node(1));
    keys += fmt::format("k{}:1,", k);
  }
  Dict config;
  config.set("many", Node(many));
  config.set("keys", Node("{" + keys + "x:1}"));
  for (const char* call : {"${oc.dict.keys:many}", "${oc.dict.values:many}", "${oc.create:${many}}", "x${many}",
                           "${oc.decode:${keys}}", "${oc.create:${keys}}", "x${keys}"}) {
    Dict calls = config;
    for (int k = 0; k < 5'000; ++k) calls.set(fmt::format("c{}", k), Node(call));
    const Error error = error_soon([&] { resolve(Node(calls)); });
    EXPECT_EQ(error.kind(), ErrorKind::kInterpolation) << call << ": " << error.message();
  }
  EXPECT_EQ(error_soon([] { resolve_text(Node(Dict{}), "${sha256:/dev/zero}"); }).kind(), ErrorKind::kInterpolation);
  const std::string long_key = "${" + std::string(1'000'000, 'x');
  for (const std::string& text : {long_key, long_key + "}", long_key + ":y}"}) {
    EXPECT_EQ(error_soon([&] { resolve_text(Node(Dict{}), text); }).kind(), ErrorKind::kInterpolation);
  }
}

}  // namespace
}  // namespace roundtrip::hydra
