#include "data/check.h"

#include <algorithm>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "data/lists.h"

namespace roundtrip::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class CheckTest : public ListTest {
 protected:
  CheckTest() : ListTest("pie") {
    set_params({{"equalizer", int64_t{2}}});
    check_.tokens = [](const std::string& prompt) { return static_cast<int64_t>(prompt.size()); };
    check_.tokenizer = "its letters";
  }

  // Adds a record with an image of its own, faultless but for what the arguments say.
  void add(const std::string& source, const std::string& target, const std::string& words,
           const std::string& mask = "[6, 2]", const std::string& type = "1") {
    const std::string key = fmt::format("{:012}", count_++);
    cv::Mat picture = as_mat(pattern(4, 5));
    picture.at<cv::Vec3b>(0, 0) = {static_cast<uint8_t>(count_), 0, 0};
    folder_.write(fmt::format("annotation_images/{}.png", key), encoded(picture, ".png"));
    records_ += fmt::format(
        R"({}"{}": {{"image_path": "{}.png", "original_prompt": "{}", "editing_prompt": "{}", "editing_instruction": "",
        "editing_type_id": "{}", "blended_word": "{}", "mask": {}}})",
        records_.empty() ? "" : ", ", key, key, source, target, type, words, mask);
    folder_.write("mapping_file.json", "{" + records_ + "}");
  }

  CheckReport report() const { return check_dataset(*open(), check_); }
  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const Finding& finding : report().findings) names.push_back(finding.name);
    return names;
  }
  // "id: detail" of each place of a finding.
  std::vector<std::string> places(const std::string& name) const {
    std::vector<std::string> all;
    for (const Finding& finding : report().findings) {
      if (finding.name != name) continue;
      for (const Finding::Place& place : finding.places) all.push_back(place.id.substr(11) + ": " + place.detail);
    }
    return all;
  }

  CheckOptions check_;
  std::string records_;
  int count_ = 0;
};

TEST_F(CheckTest, FindsNothingWhereNothingIs) {
  add("a cat", "a dog", "cat dog");
  const CheckReport found = report();
  EXPECT_THAT(names(), IsEmpty());
  EXPECT_FALSE(found.has_faults());
  EXPECT_EQ(found.images, 1u);
  EXPECT_EQ(found.edits, 1u);
  ASSERT_EQ(found.types.size(), 1u);
  EXPECT_EQ(found.types[0].name, "change_object");
  EXPECT_EQ(found.types[0].with_words, 1u);
  EXPECT_EQ(found.types[0].equal_counts, 1u);
  EXPECT_EQ(found.types[0].with_mask, 1u);
  EXPECT_EQ(found.types[0].full_masks, 0u);
}

TEST_F(CheckTest, FindsWordsThatPromptsLack) {
  add("a cat", "a dog", "cot dog");
  add("a cat, sitting", "a dog, sitting", "cat dog,");
  EXPECT_THAT(names(), ElementsAre("word-absent", "word-punctuation"));
  EXPECT_THAT(places("word-absent"), ElementsAre("0: 'cot' is not in the source prompt. Did you mean 'cat'?"));
  EXPECT_THAT(places("word-punctuation"), ElementsAre("1: 'cat'; the source prompt has 'cat,'"));
  EXPECT_TRUE(report().has_faults());
  check_.protocol = Protocol::kReleased;
  EXPECT_FALSE(report().has_faults());
}

TEST_F(CheckTest, CountsBlendWords) {
  add("a cat", "a dog", "cat");
  add("a big cat", "a big dog", "cat dog big");
  add("the cat", "the dog", "");
  EXPECT_THAT(names(), ElementsAre("one-blend-word", "more-blend-words", "no-blend-words"));
  EXPECT_THAT(places("more-blend-words"), ElementsAre("1: 3"));
  EXPECT_EQ(report().types[0].with_words, 1u);
  EXPECT_FALSE(report().has_faults());
}

TEST_F(CheckTest, LooksAtMasks) {
  add("a cat", "a dog", "cat dog", "[0, 20]", "9");
  add("b cat", "b dog", "cat dog", "[]");
  add("c cat", "c dog", "cat dog", "[6, 200]");
  add("d cat", "d dog", "cat dog", "[6]");
  EXPECT_THAT(names(), ElementsAre("refused-mask", "clipped-mask", "empty-mask", "full-mask"));
  EXPECT_THAT(places("refused-mask"), ElementsAre(HasSubstr("mask: 1 numbers; expected pairs")));
  EXPECT_THAT(places("clipped-mask"), ElementsAre("2: 1 runs"));
  EXPECT_THAT(places("empty-mask"), ElementsAre("1: "));
  const CheckReport found = report();
  ASSERT_EQ(found.types.size(), 2u);
  EXPECT_EQ(found.types[1].type, "9");
  EXPECT_EQ(found.types[1].full_masks, 1u);
  EXPECT_EQ(found.types[0].with_mask, 2u);
}

TEST_F(CheckTest, LooksAtPrompts) {
  check_.max_tokens = 8;
  add("a  cat", "a  dog", "cat dog");
  add("a long cat", "a long dog", "cat dog");
  add("a cow", "a cow", "cow cow");
  add("a pig", "the big pig", "pig pig");
  add("a pig", "the big pig", "pig pig");
  add("", "a fox", "");
  EXPECT_THAT(names(), ElementsAre("long-prompt", "no-blend-words", "unequal-word-counts", "double-space",
                                   "same-prompts", "no-prompt", "repeated-prompts"));
  EXPECT_THAT(places("long-prompt"), ElementsAre("1: source prompt: 10 tokens", "1: target prompt: 10 tokens",
                                                 "3: target prompt: 11 tokens", "4: target prompt: 11 tokens"));
  EXPECT_THAT(places("unequal-word-counts"), ElementsAre("3: 2 and 3", "4: 2 and 3", "5: 1 and 2"));
  EXPECT_THAT(places("double-space"), ElementsAre("0: source prompt 'a  cat'", "0: target prompt 'a  dog'"));
  EXPECT_THAT(places("repeated-prompts"), ElementsAre("4: as 000000000003"));
}

TEST_F(CheckTest, LooksAtImages) {
  add("a cat", "a dog", "cat dog");
  add("a cow", "a hen", "cow hen");
  add("a fox", "a pig", "fox pig");
  folder_.write("annotation_images/000000000001.png", "no image");
  std::filesystem::copy_file(folder_.path() / "annotation_images/000000000000.png",
                             folder_.path() / "annotation_images/000000000002.png",
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_THAT(names(), ElementsAre("unreadable-image", "repeated-image"));
  EXPECT_THAT(places("unreadable-image"), ElementsAre(HasSubstr("000000000001.png: is damaged or no image")));
  EXPECT_THAT(places("repeated-image"), ElementsAre("2: as 000000000000"));
}

TEST_F(CheckTest, SaysWhichImagesHaveNoEdit) {
  options_.name = "folder";
  options_.path = folder_.path() / "annotation_images";
  options_.params = {};
  folder_.write("annotation_images/a.png", png());
  EXPECT_THAT(names(), ElementsAre("no-prompt", "no-edit"));
  options_.prompt = "a  cat";
  EXPECT_THAT(names(), ElementsAre("double-space", "no-edit"));
}

TEST_F(CheckTest, ReportsAsTextAndAsJson) {
  add("a cat", "a dog", "cot dog", "[6, 2]", "0");
  for (int n = 0; n < 5; ++n) add(fmt::format("{} cat", n), fmt::format("{} dog", n), "cat dog", "[0, 20]", "9");
  const CheckReport found = report();
  const std::string text = check_text(found, check_, "pie, PIE");
  EXPECT_THAT(text, HasSubstr("dataset   pie, PIE (6 images, 6 edits)\nprotocol  proper\n"
                              "tokens    at most 77, counted by its letters\n"));
  EXPECT_THAT(text, HasSubstr("\n9     change_style      5            5                  5      5           5\n"));
  EXPECT_THAT(text, HasSubstr("fault  word-absent          1 edit, of type 0 (1): editors that follow words refuse"));
  EXPECT_THAT(text, HasSubstr("note   full-mask            5 edits, of type 9 (5): these edits have no background"));
  EXPECT_THAT(text, HasSubstr("       000000000003\n       and 2 more\n\n1 fault that will fail records, 1 note\n"));
  const auto json = nlohmann::json::parse(check_json(found, check_, "pie, PIE"));
  EXPECT_EQ(json["images"], 6);
  EXPECT_EQ(json["types"][1]["full_masks"], 5);
  EXPECT_EQ(json["findings"][0]["name"], "word-absent");
  EXPECT_EQ(json["findings"][0]["level"], "fault");
  EXPECT_EQ(json["findings"][1]["places"].size(), 5u);
  EXPECT_THAT(json["findings"][0]["places"][0]["detail"].get<std::string>(), Not(IsEmpty()));
}

}  // namespace
}  // namespace roundtrip::data
