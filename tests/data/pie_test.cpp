#include <filesystem>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/lists.h"

namespace roundtrip::data {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

class PieTest : public ListTest {
 protected:
  PieTest() : ListTest("pie") {
    set_params({{"equalizer", int64_t{2}}});
    for (const char* name : {"0_random_140/000000000000", "6_change_attribute_color_40/600000000000"}) {
      folder_.write(fmt::format("annotation_images/{}.png", name), png());
    }
  }

  void write(const std::string& records) { folder_.write("mapping_file.json", "{" + records + "}"); }

  // A record of the first image; `fields` replace those of the same name.
  static std::string record(const std::map<std::string, std::string>& fields = {}) {
    std::map<std::string, std::string> all = {{"image_path", R"("0_random_140/000000000000.png")"},
                                              {"original_prompt", R"("a [red] cat")"},
                                              {"editing_prompt", R"("a [blue][ big] dog")"},
                                              {"editing_instruction", R"("Make it blue")"},
                                              {"editing_type_id", R"("0")"},
                                              {"blended_word", R"("cat dog")"},
                                              {"mask", "[6, 2]"}};
    for (const auto& [key, value] : fields) all[key] = value;
    std::string text;
    for (const auto& [key, value] : all) {
      if (!value.empty()) text += fmt::format("{}\"{}\": {}", text.empty() ? "" : ", ", key, value);
    }
    return "\"000000000007\": {" + text + "}";
  }

  EditName edit(const std::map<std::string, std::string>& fields = {}) {
    write(record(fields));
    return open()->edits(0).at(0);
  }
  std::string refused(const std::map<std::string, std::string>& fields) {
    write(record(fields));
    return refusal();
  }
};

TEST_F(PieTest, ReadsARecordWithAllThatIsKnown) {
  write(record());
  const auto dataset = open();
  EXPECT_THAT(dataset->ids(), ElementsAre("0_random_140/000000000000"));
  EXPECT_EQ(dataset->prompt(0), "a red cat");
  EXPECT_EQ(dataset->read(0).pixels.rgb, pattern(4, 5).rgb);
  ASSERT_EQ(dataset->edits(0).size(), 1u);
  const EditName edit = dataset->edits(0)[0];
  EXPECT_EQ(edit.name, "");
  EXPECT_EQ(edit.target_prompt, "a blue big dog");
  EXPECT_THAT(edit.attributes,
              ElementsAre(Pair("instruction", "Make it blue"), Pair("type", "0"), Pair("type_name", "random")));
  EXPECT_THAT(edit.words.blend_source, ElementsAre("cat"));
  EXPECT_THAT(edit.words.blend_target, ElementsAre("dog"));
  EXPECT_THAT(edit.words.equalizer, ElementsAre(Pair("dog", 2.0)));
  const EditTruth truth = dataset->read_edit(0, 0);
  EXPECT_FALSE(truth.target);
  EXPECT_THAT(*truth.mask, ElementsAre(1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1));
  EXPECT_TRUE(truth.notes.empty());
}

TEST_F(PieTest, NamesItsTypesAsItsFolders) {
  EXPECT_EQ(edit({{"editing_type_id", R"("9")"}}).attributes.at("type_name"), "change_style");
  EXPECT_EQ(edit({{"editing_type_id", "6"}}).attributes.at("type_name"), "change_attribute_color");
  EXPECT_EQ(edit({{"editing_type_id", "6"}}).attributes.at("type"), "6");
}

TEST_F(PieTest, KeepsTheOrderOfTheFile) {
  std::string second = record({{"image_path", R"("6_change_attribute_color_40/600000000000.png")"}});
  second.replace(1, 12, "600000000000");
  write(second + ", " + record());
  EXPECT_THAT(open()->ids(), ElementsAre("6_change_attribute_color_40/600000000000", "0_random_140/000000000000"));
}

TEST_F(PieTest, TakesItsListByNameToo) {
  write(record());
  options_.path = folder_.path() / "mapping_file.json";
  EXPECT_EQ(open()->read(0).pixels.rgb, pattern(4, 5).rgb);
}

TEST_F(PieTest, TakesTwoBlendWordsAndNotesOthers) {
  EXPECT_EQ(edit({{"blended_word", R"("")"}}).words, EditWords());
  EXPECT_FALSE(edit({{"blended_word", R"("")"}}).blend_words_given);
  const EditName one = edit({{"blended_word", R"("cat")"}});
  EXPECT_EQ(one.words, EditWords());
  EXPECT_EQ(one.blend_words_given, 1u);
  EXPECT_THAT(open()->read_edit(0, 0).notes,
              ElementsAre("blended_word is 'cat', not two words: the edit has no blend words"));
  const EditName three = edit({{"blended_word", R"("cat dog big")"}});
  EXPECT_THAT(three.words.blend_source, ElementsAre("cat"));
  EXPECT_THAT(three.words.blend_target, ElementsAre("dog"));
  EXPECT_EQ(three.blend_words_given, 3u);
  EXPECT_THAT(open()->read_edit(0, 0).notes,
              ElementsAre("blended_word is 'cat dog big': the words after the second were dropped"));
  EXPECT_EQ(edit({{"blended_word", R"("cat  dog")"}}).words, EditWords());
}

TEST_F(PieTest, TakesNoEqualizerWhereNoneIsWanted) {
  set_params({{"equalizer", config::Value{}}});
  EXPECT_TRUE(edit().words.equalizer.empty());
  EXPECT_THAT(edit().words.blend_target, ElementsAre("dog"));
  set_params({{"equalizer", 0.5}});
  EXPECT_THAT(edit().words.equalizer, ElementsAre(Pair("dog", 0.5)));
}

TEST_F(PieTest, FailsABadMaskAlone) {
  write(record({{"mask", "[6, 2, 9]"}}));
  const auto dataset = open();
  EXPECT_EQ(dataset->read(0).pixels.rgb, pattern(4, 5).rgb);
  EXPECT_THAT(error_of([&] { dataset->read_edit(0, 0); }),
              HasSubstr("mapping_file.json: 000000000007: mask: 3 numbers; expected pairs of a start and a length"));
  write(record({{"mask", "[21, 2]"}}));
  EXPECT_THAT(error_of([&] { open()->read_edit(0, 0); }), HasSubstr("mask: run 0 starts at 21; expected a pixel"));
  write(record({{"mask", "[-1, 2]"}}));
  EXPECT_THAT(error_of([&] { open()->read_edit(0, 0); }), HasSubstr("mask: run 0 is -1, 2; expected numbers"));
  write(record({{"mask", "[18446744073709551615, 2]"}}));
  EXPECT_THAT(error_of([&] { open()->read_edit(0, 0); }), HasSubstr("mask: run 0 starts at 9223372036854775807"));
}

TEST_F(PieTest, ClipsAnOverrunAndSaysSo) {
  write(record({{"mask", "[18, 700]"}}));
  const EditTruth truth = open()->read_edit(0, 0);
  EXPECT_EQ(truth.overruns, 1u);
  EXPECT_THAT(truth.notes, ElementsAre("1 runs of the mask go past the image and were clipped"));
}

TEST_F(PieTest, BringsMasksToTheSize) {
  options_.size = {2, 2};
  folder_.write("annotation_images/0_random_140/000000000000.png", png(8, 8));
  write(record({{"mask", "[]"}}));
  EXPECT_THAT(*open()->read_edit(0, 0).mask, ElementsAre(1, 1, 1, 1));  // the border touches every quarter
  options_.size = {4, 4};
  EXPECT_EQ(std::ranges::count(*open()->read_edit(0, 0).mask, 1), 12);
}

TEST_F(PieTest, DigestsChangeWithTheMask) {
  write(record());
  const std::string digest = open()->digest(0);
  write(record({{"mask", "[6, 3]"}}));
  EXPECT_NE(open()->digest(0), digest);
  write(record({{"blended_word", R"("")"}}));
  EXPECT_NE(open()->digest(0), digest);
  write(record());
  EXPECT_EQ(open()->digest(0), digest);
  set_params({{"equalizer", 3.0}});
  EXPECT_NE(open()->digest(0), digest);
}

TEST_F(PieTest, FailsAnUnreadableImageAlone) {
  const std::string jpeg = encoded(as_mat(pattern(64, 64)), ".jpg");
  folder_.write("annotation_images/0_random_140/000000000000.jpg", jpeg.substr(0, jpeg.size() / 2));
  write(record({{"image_path", R"("0_random_140/000000000000.jpg")"}}));
  const auto dataset = open();
  EXPECT_THAT(error_of([&] { dataset->read(0); }), HasSubstr("000000000000.jpg: is "));
  EXPECT_THAT(error_of([&] { dataset->read_edit(0, 0); }), HasSubstr("000000000000.jpg: is "));
}

TEST_F(PieTest, RefusesRecordsThatAreNone) {
  const std::string place = "mapping_file.json: 000000000007: ";
  EXPECT_EQ(refused({{"image_path", R"("0_random_140/00000000000.png")"}}),
            place + "image_path '0_random_140/00000000000.png' does not exist in " +
                (folder_.path() / "annotation_images").string().substr(folder_.path().string().size() + 1) +
                "; expected an image. Did you mean '0_random_140/000000000000.png'?");
  EXPECT_EQ(refused({{"image_path", R"("../mapping_file.json")"}}),
            place + "image_path is '../mapping_file.json'; expected a path below the folder of the images");
  EXPECT_EQ(refused({{"editing_type_id", R"("10")"}}),
            place + "editing_type_id is '10'; expected a number from 0 to 9");
  EXPECT_EQ(refused({{"editing_type_id", R"("style")"}}),
            place + "editing_type_id is 'style'; expected a number from 0 to 9");
  EXPECT_EQ(refused({{"mask", R"({"counts": []})"}}),
            place + "mask is a object; expected a run-length list of whole numbers, or the name of a file");
  EXPECT_EQ(refused({{"mask", "[0.5, 1]"}}),
            place + "mask holds a number; expected a run-length list of whole numbers, or the name of a file");
  EXPECT_EQ(refused({{"original_prompt", "7.5"}}), place + "original_prompt is a number; expected a string");
  EXPECT_THAT(refused({{"editing_prompt", ""}, {"editing_promt", R"("x")"}}),
              AllOf(HasSubstr(place + "has no editing_prompt; expected it beside blended_word, "),
                    HasSubstr("Did you mean 'editing_promt'?")));
  folder_.write("annotation_images/x.gif", "GIF89a");
  EXPECT_THAT(refused({{"image_path", R"("x.gif")"}}),
              HasSubstr("image_path 'x.gif' is not an image that is read; expected one of the kinds bmp, "));
}

TEST_F(PieTest, RefusesFilesThatAreNone) {
  write("\"a\": 3");
  EXPECT_EQ(refusal(), "mapping_file.json: a: is a number; expected an object with an image and prompts");
  write(record() + ", " + record());
  EXPECT_EQ(refusal(), "mapping_file.json: '000000000007' stands twice in one JSON object; expected each key once");
  write(record({{"editing_prompt", "\"\xFF\""}}));
  EXPECT_THAT(refusal(), HasSubstr("mapping_file.json: not valid JSON"));
  write(record() + ",");
  EXPECT_THAT(refusal(), HasSubstr("mapping_file.json: not valid JSON"));
  write("");
  EXPECT_EQ(refusal(), "mapping_file.json: has no record; expected at least one");
  folder_.write("mapping_file.json", "3");
  EXPECT_EQ(refusal(), "mapping_file.json: is a number; expected an object or a list of records");
  std::filesystem::remove(folder_.path() / "mapping_file.json");
  EXPECT_THAT(refusal(), HasSubstr("holds no list of edits; expected mapping_file.json, or one JSON or YAML file"));
  options_.path = folder_.path() / "nowhere";
  EXPECT_THAT(refusal(), AllOf(HasSubstr("dataset.path: '"), HasSubstr("nowhere' does not exist")));
}

}  // namespace
}  // namespace roundtrip::data
