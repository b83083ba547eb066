// Pictures of another program, found by their names and cut to the panel that is scored.
#include "rescore/picture_folder.h"

#include <gmock/gmock.h>

#include "data/png.h"
#include "support/error_of.h"
#include "support/temporary_folder.h"

namespace roundtrip::rescore {
namespace {

using roundtrip::testing::error_of;
using roundtrip::testing::TemporaryFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

data::Image numbered(int height, int width) {
  data::Image image{.height = height, .width = width, .rgb = {}};
  for (int k = 0; k < height * width * 3; ++k) image.rgb.push_back(static_cast<uint8_t>(k));
  return image;
}

class PictureFolderTest : public ::testing::Test {
 protected:
  void put(const std::string& file) const {
    std::filesystem::create_directories((folder_.path() / file).parent_path());
    data::write_png(folder_.path() / file, numbered(2, 2));
  }
  std::filesystem::path below(const std::string& file) const { return folder_.path() / file; }

  TemporaryFolder folder_;
};

TEST_F(PictureFolderTest, FindsByTheNameBelowItWithoutExtension) {
  put("0_random_140/000000000000.png");
  put("annotation_images/1_change/000000000001.png");
  put("scene-colour.png");
  put("scene/shape.png");
  PictureFolder pictures(folder_.path());
  EXPECT_EQ(pictures.find("0_random_140/000000000000", ""), below("0_random_140/000000000000.png"));
  EXPECT_EQ(pictures.find("1_change/000000000001", ""), below("annotation_images/1_change/000000000001.png"));
  EXPECT_EQ(pictures.find("scene", "colour"), below("scene-colour.png"));
  EXPECT_THAT(pictures.unused(), ElementsAre("scene/shape"));
  EXPECT_EQ(pictures.find("scene", "shape"), below("scene/shape.png"));
  EXPECT_TRUE(pictures.unused().empty());
}

TEST_F(PictureFolderTest, NamesWhatItDoesNotFind) {
  put("a.png");
  PictureFolder pictures(folder_.path());
  EXPECT_THAT(error_of([&] { pictures.find("b", ""); }, ErrorKind::kInput), HasSubstr("b: no such picture"));
  EXPECT_THAT(error_of([&] { pictures.find("a", "shape"); }, ErrorKind::kInput), HasSubstr("a-shape: no such picture"));
}

TEST_F(PictureFolderTest, RefusesTwoPicturesOfOneName) {
  put("a.png");
  put("annotation_images/a.png");
  PictureFolder pictures(folder_.path());
  const std::string message = error_of([&] { pictures.find("a", ""); }, ErrorKind::kInput);
  EXPECT_THAT(message, HasSubstr("a.png, "));
  EXPECT_THAT(message, HasSubstr("have one name; expected one of them"));
}

TEST_F(PictureFolderTest, RefusesAFolderWithoutPictures) {
  EXPECT_THAT(error_of([&] { PictureFolder{folder_.path()}; }, ErrorKind::kInput), HasSubstr("has no picture"));
  EXPECT_THAT(error_of([&] { PictureFolder{folder_.path() / "none"}; }, ErrorKind::kInput),
              HasSubstr("does not exist"));
}

TEST(PanelOf, IsTheRightMost) {
  const data::Image strip = numbered(2, 6);
  std::vector<std::string> notes;
  const data::Image panel = panel_of(strip, 2, 2, "strip.png", notes);
  EXPECT_THAT(panel.rgb, ElementsAre(12, 13, 14, 15, 16, 17, 30, 31, 32, 33, 34, 35));
  EXPECT_THAT(notes, ElementsAre("the right-most of 3 panels"));
  EXPECT_EQ(panel_of(strip, 2, 6, "strip.png", notes).rgb, strip.rgb);
}

TEST(PanelOf, RefusesAnyOtherSize) {
  std::vector<std::string> notes;
  for (const auto& [height, width] : {std::pair(2, 4), {4, 6}, {2, 5}, {2, 7}}) {
    const std::string message =
        error_of([&, h = height, w = width] { panel_of(numbered(2, 6), h, w, "strip.png", notes); }, ErrorKind::kInput);
    EXPECT_THAT(message, HasSubstr("strip.png: 2 x 6 pixels; expected"));
  }
}

}  // namespace
}  // namespace roundtrip::rescore
