#include "base/json.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/text.h"
#include "support/error_of.h"
#include "support/temporary_folder.h"

namespace roundtrip {
namespace {

using roundtrip::testing::error_of;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string parse_error(std::string_view text) {
  return error_of([&] { parse_json(text, "config.json"); });
}

TEST(ParseJson, ReadsWhatIsWellFormed) {
  const nlohmann::json value = parse_json(R"({"a": [1, {"a": 2}], "b": {"a": 3}})", "config.json");
  EXPECT_EQ(value["a"][1]["a"], 2);
  EXPECT_EQ(value["b"]["a"], 3);
}

TEST(ParseJson, RefusesAKeyTwiceInOneObject) {
  EXPECT_THAT(parse_error(R"({"a": 1, "b": {"a": 2}, "a": 3})"), HasSubstr("'a' stands twice in one JSON object"));
  EXPECT_THAT(parse_error(R"([{"x": {"k": 1, "k": 1}}])"), HasSubstr("'k' stands twice"));
}

TEST(ParseJson, RefusesDepthBombs) {
  EXPECT_NO_THROW(parse_json(std::string(64, '[') + std::string(64, ']'), "config.json"));
  EXPECT_THAT(parse_error(std::string(66, '[') + std::string(66, ']')), HasSubstr("nested too deeply"));
  EXPECT_THAT(parse_error(std::string(1 << 22, '[')), HasSubstr("nested too deeply"));
}

TEST(ParseJson, SaysWhereTextIsMalformedInOneShortLine) {
  EXPECT_THAT(parse_error("{\"a\": \n tru"), StartsWith("config.json: not valid JSON (parse error at line 2, column "));
  for (const std::string_view text : {"", "{", "{} {}", "NaN", "1e999", "\"\xff\"", "{\"a\": \"\\ud800\"}"}) {
    EXPECT_THAT(parse_error(text), HasSubstr("not valid JSON")) << text;
  }
  EXPECT_LT(parse_error("\"" + std::string(100000, 'x')).size(), 200u);
}

TEST(ReadFile, RefusesFoldersAndFilesThatAreTooLong) {
  const testing::TemporaryFolder folder;
  const auto file = folder.write("f", std::string("a\0b", 3));
  EXPECT_EQ(read_file(file), std::string("a\0b", 3));
  EXPECT_THAT(error_of([&] { read_file(file, 2); }), EndsWith("3 bytes long; expected at most 2"));
  EXPECT_THAT(error_of([&] { read_file(folder.path()); }), EndsWith("not a file"));
  EXPECT_THAT(error_of([&] { read_file(folder.path() / "g"); }), EndsWith("g: no such file"));
}

TEST(NameText, IsOneShortLine) {
  EXPECT_EQ(name_text("conv_in.weight"), "'conv_in.weight'");
  EXPECT_EQ(name_text("a\nb\x01"), "'a\\nb\\u0001'");
  EXPECT_EQ(name_text("\xff"), "'\uFFFD'");
  EXPECT_LT(name_text(std::string(1000, 'x')).size(), 100u);
  EXPECT_THAT(name_text(std::string(79, 'x') + "é"), EndsWith("x...'"));  // not half a character
}

}  // namespace
}  // namespace roundtrip
