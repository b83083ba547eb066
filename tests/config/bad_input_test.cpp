// Input that is meant to hurt: each a clean error soon, in memory that fits it.
#include <ctime>

#include <gtest/gtest.h>

#include "base/error.h"
#include "config/compose.h"
#include "config/interpolation.h"
#include "config/yaml.h"
#include "support/temporary_folder.h"

namespace roundtrip::config {
namespace {

// Under a sanitizer, which takes ten times as long for each byte, a tenth of them.
#ifdef __SANITIZE_ADDRESS__
constexpr size_t kManyBytes = 1'000'000;
constexpr double kSeconds = 300;
#else
constexpr size_t kManyBytes = 10'000'000;
constexpr double kSeconds = 20;  // far more than it takes; what must not be is time that grows out of hand
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
  EXPECT_LT(static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC, kSeconds) << error.message();
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

TEST(BadInput, ScalarsOfTenMegabytesAreRead) {
  const std::string text = "a: " + std::string(kManyBytes, 'x') + "\nb: '" + std::string(1000, '\\') + "'\n";
  const Node node = parse_yaml(text, "long.yaml");
  EXPECT_EQ(node.find("a")->as_string().size(), kManyBytes);
  for (const std::string& scalar : {std::string(kManyBytes, '1'), std::string(kManyBytes, '1') + ".e5x",
                                    repeated("1:", kManyBytes / 2), repeated("1_", kManyBytes / 2)}) {
    error_soon([&] { parse_yaml("a: " + scalar + "\n", "long.yaml"); });
  }
  EXPECT_EQ(error_soon([] { parse_yaml(std::string(20'000'000, 'x'), "longer.yaml"); }).kind(), ErrorKind::kParse);
  EXPECT_EQ(error_soon([] { parse_override("a=" + std::string(kManyBytes, 'x')); }).kind(), ErrorKind::kParse);
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

}  // namespace
}  // namespace roundtrip::config
