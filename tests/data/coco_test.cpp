#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/lists.h"

namespace roundtrip::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class CocoTest : public ListTest {
 protected:
  CocoTest() : ListTest("coco") {
    set_caption("first");
    folder_.write("val2017/000000000139.png", png());
    folder_.write("val2017/000000000285.png", png());
  }

  void set_caption(const config::Value& caption, const std::string& captions = "", const std::string& images = "") {
    const auto path = [](const std::string& text) { return text.empty() ? config::Value() : config::Value(text); };
    set_params({{"caption", caption}, {"captions_path", path(captions)}, {"images_path", path(images)}});
  }
  void write(const std::string& text) { folder_.write("annotations/captions_val2017.json", text); }
  std::string refused(const std::string& text) {
    write(text);
    return refusal();
  }
};

constexpr const char* kCaptions = R"({"info": {}, "licenses": [],
  "images": [{"id": 285, "file_name": "000000000285.png", "height": 4}, {"id": 139, "file_name": "000000000139.png"}],
  "annotations": [{"image_id": 139, "id": 9, "caption": "a room"}, {"image_id": 139, "id": 3, "caption": "a chair"},
                  {"image_id": 139, "id": 5, "caption": "a large room "}]})";

TEST_F(CocoTest, TakesTheFirstCaptionById) {
  options_.prompt = "a photo";
  write(kCaptions);
  const auto dataset = open();
  EXPECT_THAT(dataset->ids(), ElementsAre("000000000285", "000000000139"));
  EXPECT_EQ(dataset->prompt(0), "a photo");
  EXPECT_EQ(dataset->prompt(1), "a chair");
  EXPECT_EQ(dataset->read(1).pixels.rgb, pattern(4, 5).rgb);
  EXPECT_TRUE(dataset->edits(1).empty());
}

TEST_F(CocoTest, TakesAnotherCaption) {
  write(kCaptions);
  set_caption("longest");
  EXPECT_EQ(open()->prompt(1), "a large room ");
  set_caption(int64_t{2});
  EXPECT_EQ(open()->prompt(1), "a room");
  set_caption(int64_t{3});
  EXPECT_EQ(open()->prompt(1), "");
  for (const config::Value& wrong : {config::Value("last"), config::Value(int64_t{-1}), config::Value(1.5)}) {
    set_caption(wrong);
    EXPECT_THAT(refusal(ErrorKind::kType), HasSubstr("expected first, longest, or a number from 0 on"));
  }
}

TEST_F(CocoTest, FindsItsFilesWhereTheyAre) {
  folder_.write("elsewhere/000000000139.png", png());
  const std::string captions =
      folder_.write("c.json", R"({"images": [{"id": 1, "file_name": "000000000139.png"}], "annotations": []})")
          .string();
  set_caption("first", captions, (folder_.path() / "elsewhere").string());
  options_.path = folder_.path() / "nowhere";
  EXPECT_EQ(open()->read(0).pixels.rgb, pattern(4, 5).rgb);
}

TEST_F(CocoTest, RefusesFilesThatAreNone) {
  const std::string file = "annotations/captions_val2017.json: ";
  EXPECT_EQ(refused("[]"),
            file + "has no annotations; expected COCO's captions: an object with images and annotations");
  EXPECT_EQ(refused(R"({"images": [], "annotations": {}})"), file + "annotations is a object; expected a list");
  EXPECT_EQ(refused(R"({"images": [], "annotations": []})"),
            file + "names no image; expected COCO's captions of at least one");
  EXPECT_EQ(refused(R"({"images": [3], "annotations": []})"),
            "annotations/captions_val2017.json: images[0]: has no id; expected a number");
  EXPECT_THAT(refused(R"({"images": [{"id": 1, "file_name": "x.png"}], "annotations": []})"),
              HasSubstr("images[0]: file_name 'x.png' is not in val2017; expected an image of one of the kinds"));
  EXPECT_THAT(refused(R"({"images": [{"id": 1, "file_name": "../x.png"}], "annotations": []})"),
              HasSubstr("images[0]: file_name is '../x.png'; expected a path below the folder of the images"));
  const std::string image = R"({"images": [{"id": 1, "file_name": "000000000139.png"}EXTRA], "annotations": [NOTES]})";
  const auto with = [&](const std::string& extra, const std::string& notes) {
    std::string text = image;
    text.replace(text.find("EXTRA"), 5, extra);
    return refused(text.replace(text.find("NOTES"), 5, notes));
  };
  EXPECT_THAT(with(R"(, {"id": 1, "file_name": "000000000285.png"})", ""), HasSubstr("images[1]: id 1 repeats "));
  EXPECT_THAT(with(R"(, {"id": 2, "file_name": "./000000000139.png"})", ""), HasSubstr("both sample '000000000139'"));
  EXPECT_THAT(with("", R"({"id": 1, "image_id": 7, "caption": "x"})"),
              HasSubstr("1 captions are of image 7; expected the id of one of its images"));
  EXPECT_THAT(with("", R"({"id": 1, "image_id": 1, "caption": 3})"),
              HasSubstr("annotations[0]: caption is a number; expected a string"));
  EXPECT_THAT(with("", R"({"id": "1", "image_id": 1, "caption": "x"})"),
              HasSubstr("annotations[0]: id is a string; expected a whole number"));
  EXPECT_THAT(with("", R"({"id": 1, "image_id": 1, "caption": "x"}, {"id": 1, "image_id": 1, "caption": "y"})"),
              HasSubstr("annotations[1]: id 1 is there twice for one image; expected ids that differ"));
}

}  // namespace
}  // namespace roundtrip::data
