// Edits in metadata.jsonl: several of one image, their answers and masks, and what is wrong with them.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/dataset.h"
#include "data/images.h"
#include "support/scratch_folder.h"

namespace roundtrip::data {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

std::string grey(int height, int width, uint8_t value) {
  return encoded(cv::Mat(height, width, CV_8U, cv::Scalar(value)), ".png");
}

class EditsTest : public testing::Test {
 protected:
  EditsTest() {
    options_.name = "folder";
    options_.path = folder_.path();
    folder_.write("a.png", png());
    folder_.write("t/a.png", grey(4, 5, 9));
    folder_.write(
        "m/a.png",
        encoded((cv::Mat_<uchar>(4, 5) << 255, 128, 127, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), ".png"));
  }

  void write_metadata(const std::string& lines) { folder_.write("metadata.jsonl", lines); }
  std::unique_ptr<Dataset> open() const { return open_dataset(options_); }
  std::string refusal() const {
    return error_of([this] { open()->read_edit(0, 0); });
  }

  ScratchFolder folder_;
  DatasetOptions options_;
};

constexpr const char* kEdit =
    R"({"file_name": "a.png", "text": "x", "target_text": "y", "target_image": "t/a.png", "mask": "m/a.png", "edit": "e"})"
    "\n";

TEST_F(EditsTest, MayCarryFurtherTexts) {
  const std::string line = R"({"file_name": "a.png", "target_text": "y"EXTRA})";
  const auto with = [&](const std::string& extra) {
    std::string text = line;
    write_metadata(text.replace(text.find("EXTRA"), 5, extra));
  };
  with("");
  const std::string plain = open()->digest(0);
  EXPECT_TRUE(open()->edits(0)[0].attributes.empty());
  with(R"(, "edit_attributes": {"type": "1", "author": "me"})");
  EXPECT_THAT(open()->edits(0)[0].attributes, ElementsAre(std::pair("author", "me"), std::pair("type", "1")));
  EXPECT_NE(open()->digest(0), plain);
  with(R"(, "edit_attributes": [])");
  EXPECT_THAT(refusal(), HasSubstr("metadata.jsonl:1: edit_attributes is a array; expected an object of strings"));
  with(R"(, "edit_attributes": {"type": 1})");
  EXPECT_THAT(refusal(), HasSubstr("edit_attributes.type is a number; expected a string"));
  write_metadata(R"({"file_name": "a.png", "edit_attributes": {"type": "1"}})");
  EXPECT_THAT(refusal(), HasSubstr("has edit_attributes and no target_text"));
}

TEST_F(EditsTest, MayNameWords) {
  const auto with = [&](const std::string& extra) {
    write_metadata(R"({"file_name": "a.png", "target_text": "y")" + extra + "}");
  };
  with("");
  const std::string plain = open()->digest(0);
  EXPECT_EQ(open()->edits(0)[0].words, EditWords());
  with(R"(, "blend_words": null, "equalizer": null)");
  EXPECT_EQ(open()->edits(0)[0].words, EditWords());
  EXPECT_EQ(open()->digest(0), plain);

  with(R"(, "blend_words": ["cat", ["big", "dog"]], "equalizer": {"red": 2, "big": -0.5})");
  const EditWords words = open()->edits(0)[0].words;
  EXPECT_THAT(words.blend_source, ElementsAre("cat"));
  EXPECT_THAT(words.blend_target, ElementsAre("big", "dog"));
  EXPECT_THAT(words.equalizer, ElementsAre(std::pair("big", -0.5), std::pair("red", 2.0)));
  const std::string both = open()->digest(0);
  EXPECT_NE(both, plain);
  with(R"(, "blend_words": [["cat"], ["big", "dog"]], "equalizer": {"red": 2.0, "big": -0.5})");
  EXPECT_EQ(open()->digest(0), both);
  with(R"(, "blend_words": [["cat"], ["big", "dog"]], "equalizer": {"red": 2.5, "big": -0.5})");
  EXPECT_NE(open()->digest(0), both);
  with(R"(, "blend_words": [["cat", "big"], ["dog"]], "equalizer": {"red": 2, "big": -0.5})");
  EXPECT_NE(open()->digest(0), both);
}

TEST_F(EditsTest, RefusesWordsOfAnotherForm) {
  const auto refused = [&](const std::string& extra) {
    write_metadata(R"({"file_name": "a.png", "target_text": "y", )" + extra + "}");
    return refusal();
  };
  EXPECT_THAT(refused(R"("blend_words": "cat")"),
              HasSubstr("metadata.jsonl:1: blend_words is a string; expected two entries, the words of text and those "
                        "of target_text"));
  EXPECT_THAT(refused(R"("blend_words": ["cat"])"),
              HasSubstr("metadata.jsonl:1: blend_words has 1 entries; expected two"));
  EXPECT_THAT(refused(R"("blend_words": ["cat", 3])"),
              HasSubstr("blend_words holds a number; expected a word or a list of words"));
  EXPECT_THAT(refused(R"("blend_words": ["cat", null])"), HasSubstr("blend_words holds a null; expected a word"));
  EXPECT_THAT(refused(R"("blend_words": [["cat", ["dog"]], "x"])"), HasSubstr("blend_words holds a array"));
  EXPECT_THAT(refused(R"("blend_words": ["", "x"])"), HasSubstr("blend_words holds an empty word"));
  EXPECT_THAT(refused(R"("blend_words": [[], "x"])"), HasSubstr("blend_words holds an empty list"));
  EXPECT_THAT(refused(R"("equalizer": [["red", 2]])"),
              HasSubstr("metadata.jsonl:1: equalizer is a array; expected an object of word: number"));
  EXPECT_THAT(refused(R"("equalizer": {"red": "2"})"), HasSubstr("equalizer.red is a string; expected a number"));
  for (const char* key : {"blend_words", "equalizer"}) {
    write_metadata(fmt::format(R"({{"file_name": "a.png", "{}": ["x", "y"]}})", key));
    EXPECT_THAT(refusal(), HasSubstr(fmt::format("metadata.jsonl:1: has {} and no target_text", key)));
  }
}

TEST_F(EditsTest, AreReadWithTheirAnswers) {
  write_metadata(std::string(kEdit) + R"({"file_name": "a.png", "text": "x", "target_text": "z", "edit": "f"})");
  const auto dataset = open();
  EXPECT_THAT(dataset->ids(), ElementsAre("a"));  // neither the target nor the mask is a sample
  const std::vector<EditName> edits = dataset->edits(0);
  ASSERT_EQ(edits.size(), 2u);
  EXPECT_EQ(edits[0].name, "e");
  EXPECT_EQ(edits[1].name, "f");
  EXPECT_EQ(edits[1].target_prompt, "z");
  const EditTruth truth = dataset->read_edit(0, 0);
  EXPECT_EQ(truth.target->rgb, std::vector<uint8_t>(60, 9));
  EXPECT_THAT(*truth.mask, ElementsAre(1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));  // from 128 on
  EXPECT_TRUE(truth.notes.empty());
  EXPECT_FALSE(dataset->read_edit(0, 1).target);
  EXPECT_FALSE(dataset->read_edit(0, 1).mask);
}

TEST_F(EditsTest, ResizeWithTheirImage) {
  folder_.write("a.png", png(8, 8));
  folder_.write("t/a.png", grey(8, 8, 9));
  cv::Mat mask(8, 8, CV_8U, cv::Scalar(0));
  mask.at<uchar>(0, 7) = 255;
  folder_.write("m/a.png", encoded(mask, ".png"));
  write_metadata(kEdit);
  options_.size = {2, 2};
  const EditTruth truth = open()->read_edit(0, 0);
  EXPECT_EQ(truth.target->rgb.size(), 12u);
  EXPECT_THAT(*truth.mask, ElementsAre(0, 1, 0, 0));  // one source pixel is enough
}

// An edit is read with its sample, whose image was decoded then: its file is not needed a second time.
TEST_F(EditsTest, NeedTheSizeOfTheirImageOnly) {
  write_metadata(kEdit);
  options_.size = {2, 2};
  const auto dataset = open();
  const Sample sample = dataset->read(0);
  EXPECT_EQ(sample.stored, (ImageSize{.height = 4, .width = 5}));
  EXPECT_EQ(sample.pixels.width, 2);
  const EditTruth decoded = dataset->read_edit(0, 0);
  folder_.write("a.png", "damaged");
  const EditTruth truth = dataset->read_edit(0, 0, sample.stored);
  EXPECT_EQ(truth.mask, decoded.mask);
  EXPECT_EQ(truth.target->rgb, decoded.target->rgb);
  EXPECT_THAT(error_of([&] { dataset->read_edit(0, 0); }), HasSubstr("a.png: is damaged or no image"));
  EXPECT_THAT(error_of([&] { dataset->read_edit(0, 0, ImageSize{.height = 4, .width = 6}); }),
              HasSubstr("4 x 5 pixels; expected 4 x 6 as in a.png"));
}

TEST_F(EditsTest, RefusesAMaskOrATargetOfAnotherSize) {
  write_metadata(kEdit);
  folder_.write("m/a.png", grey(4, 4, 255));
  EXPECT_THAT(refusal(), HasSubstr("m/a.png: 4 x 4 pixels; expected 4 x 5 as in a.png"));
  folder_.write("t/a.png", grey(3, 5, 255));
  EXPECT_THAT(refusal(), HasSubstr("t/a.png: 3 x 5 pixels; expected 4 x 5 as in a.png"));
}

TEST_F(EditsTest, SayWhereTheMaskIsEmptyOrFull) {
  write_metadata(kEdit);
  folder_.write("m/a.png", grey(4, 5, 0));
  EXPECT_THAT(open()->read_edit(0, 0).notes, ElementsAre(HasSubstr("the mask is empty")));
  folder_.write("m/a.png", grey(4, 5, 255));
  EXPECT_THAT(open()->read_edit(0, 0).notes, ElementsAre(HasSubstr("the mask is full")));
}

TEST_F(EditsTest, RefusesLinesThatContradictEachOther) {
  const auto second = [&](const std::string& line) {
    write_metadata(kEdit + line);
    return refusal();
  };
  EXPECT_THAT(second(kEdit),
              AllOf(HasSubstr("metadata.jsonl:2: file_name 'a.png' repeats "), HasSubstr("names that differ")));
  EXPECT_THAT(second(R"({"file_name": "a.png", "text": "w", "target_text": "z", "edit": "f"})"),
              HasSubstr("with another text"));
  EXPECT_THAT(second(R"({"file_name": "a.png", "text": "x"})"), HasSubstr("names that differ"));
}

TEST_F(EditsTest, RefusesWhatIsNoEdit) {
  write_metadata(R"({"file_name": "a.png", "text": "x", "mask": "m/a.png"})");
  EXPECT_THAT(refusal(), HasSubstr("metadata.jsonl:1: has mask and no target_text"));
  write_metadata(R"({"file_name": "a.png", "target_text": "x", "mask": "m/b.png"})");
  EXPECT_THAT(refusal(), HasSubstr("metadata.jsonl:1: mask 'm/b.png' does not exist. Did you mean 'm/a.png'?"));
  write_metadata(R"({"file_name": "a.png", "target_text": "x", "target_image": "../a.png"})");
  EXPECT_THAT(refusal(), HasSubstr("target_image is '../a.png'; expected a path below the folder"));
}

}  // namespace
}  // namespace roundtrip::data
