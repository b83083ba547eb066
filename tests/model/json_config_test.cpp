#include "model/json_config.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/error_of.h"
#include "support/temporary_folder.h"

namespace roundtrip::model {
namespace {

using roundtrip::testing::error_of;
using roundtrip::testing::TemporaryFolder;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

JsonConfig parse(std::string_view text) { return JsonConfig::parse(text, "unet/config.json"); }

TEST(JsonConfig, ReadsEachTypeAndFallsBackWhereAKeyIsAbsent) {
  JsonConfig config =
      parse(R"({"b": true, "i": -3, "d": 0.5, "whole": 2, "s": "silu", "list": [1, 2], "names": ["x"]})");
  EXPECT_TRUE(config.get<bool>("b"));
  EXPECT_EQ(config.get<int64_t>("i"), -3);
  EXPECT_EQ(config.get<double>("d"), 0.5);
  EXPECT_EQ(config.get<double>("whole"), 2);
  EXPECT_EQ(config.get<std::string>("s"), "silu");
  EXPECT_THAT(config.get<std::vector<int64_t>>("list"), ElementsAre(1, 2));
  EXPECT_THAT(config.get<std::vector<std::string>>("names"), ElementsAre("x"));
  EXPECT_EQ(config.get<int64_t>("absent", 7), 7);
}

TEST(JsonConfig, FindsNothingWhereAKeyIsAbsentOrNull) {
  JsonConfig config = parse(R"({"null": null, "i": 3})");
  EXPECT_EQ(config.find<int64_t>("absent"), std::nullopt);
  EXPECT_EQ(config.find<int64_t>("null"), std::nullopt);
  EXPECT_EQ(config.find<int64_t>("i"), 3);
  EXPECT_FALSE(config.has("null"));
  EXPECT_TRUE(config.has("i"));
}

TEST(JsonConfig, SpreadsOneValueOverBlocks) {
  JsonConfig config = parse(R"({"one": 8, "each": [5, 10]})");
  EXPECT_THAT(config.per_block<int64_t>("one", 3, 1), ElementsAre(8, 8, 8));
  EXPECT_THAT(config.per_block<int64_t>("each", 2, 1), ElementsAre(5, 10));
  EXPECT_THAT(config.per_block<int64_t>("absent", 2, 1), ElementsAre(1, 1));
  EXPECT_THAT(error_of([&] { config.per_block<int64_t>("each", 3, 1); }),
              HasSubstr("each is [5,10]; expected one value, or one for each of 3 blocks"));
}

TEST(JsonConfig, NamesFileKeyAndTypeOfAWrongValue) {
  JsonConfig config =
      parse(R"({"in_channels": "4", "i": 2.0, "big": 18446744073709551615, "null": null, "l": [1, "2"]})");
  EXPECT_EQ(error_of([&] { config.get<int64_t>("in_channels"); }),
            "unet/config.json: in_channels is \"4\"; expected a whole number");
  EXPECT_THAT(error_of([&] { config.get<int64_t>("i"); }), HasSubstr("i is 2.0; expected a whole number"));
  EXPECT_THAT(error_of([&] { config.get<int64_t>("big"); }), HasSubstr("expected a whole number"));
  EXPECT_THAT(error_of([&] { config.get<int64_t>("null", 1); }), HasSubstr("null is null"));
  EXPECT_THAT(error_of([&] { config.get<std::vector<int64_t>>("l"); }), EndsWith("a list, each a whole number"));
  EXPECT_THAT(error_of([&] { config.get<bool>("i"); }), EndsWith("true or false"));
}

TEST(JsonConfig, NamesTheNearestKeyOfAMissingOne) {
  JsonConfig config = parse(R"({"in_chanels": 4})");
  EXPECT_EQ(error_of([&] { config.get<int64_t>("in_channels"); }),
            "unet/config.json: no key 'in_channels'; expected a whole number. Did you mean 'in_chanels'?");
}

TEST(JsonConfig, RefusesValuesThatAreNotImplemented) {
  JsonConfig config = parse(R"({"dual_cross_attention": true, "act_fn": "silu", "class_embed_type": null})");
  EXPECT_EQ(error_of([&] { config.refuse_unless("dual_cross_attention", {false}); }),
            "unet/config.json: dual_cross_attention is true; this network is implemented only for false");
  EXPECT_THAT(error_of([&] { config.refuse_unless("class_embed_type", {"timestep", 1}); }),
              EndsWith("\"timestep\" or 1"));
  EXPECT_NO_THROW(config.refuse_unless("act_fn", {"swish", "silu"}));
  EXPECT_NO_THROW(config.refuse_unless("class_embed_type", {nullptr}));
  EXPECT_NO_THROW(config.refuse_unless("absent", {1}));
}

TEST(JsonConfig, RecordsWhatNobodyRead) {
  JsonConfig config =
      parse(R"({"_class_name": "UNet", "read": 1, "ignored": 2, "off": false, "none": null, "left": 3})");
  config.get<int64_t>("read");
  config.ignore({"ignored", "absent"});
  EXPECT_THAT(config.unread(), ElementsAre(std::pair<std::string, nlohmann::json>("left", 3),
                                           std::pair<std::string, nlohmann::json>("none", nullptr),
                                           std::pair<std::string, nlohmann::json>("off", false)));
  EXPECT_THAT(error_of([&] { config.refuse_unread(); }), StartsWith("unet/config.json: 'left' is 3"));
  config.ignore({"left"});
  EXPECT_NO_THROW(config.refuse_unread());
}

TEST(JsonConfig, RefusesWhatIsNotAnObjectInAFile) {
  const TemporaryFolder folder;
  EXPECT_THAT(error_of([&] { JsonConfig::open(folder.path() / "config.json"); }),
              EndsWith("config.json: no such file"));
  EXPECT_THAT(error_of([&] { JsonConfig::open(folder.path()); }), EndsWith("not a file"));
  EXPECT_THAT(error_of([&] { JsonConfig::open(folder.write("config.json", "[1]")); }), HasSubstr("not a JSON object"));
  EXPECT_THAT(error_of([&] { JsonConfig::open(folder.write("config.json", "")); }), HasSubstr("not valid JSON"));
}

}  // namespace
}  // namespace roundtrip::model
