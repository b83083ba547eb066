#include "data/scenes.h"

#include <algorithm>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/hash.h"
#include "base/text.h"
#include "data/dataset.h"
#include "data/images.h"
#include "data/scenes_writer.h"
#include "support/scratch_folder.h"

namespace roundtrip::data::scenes {
namespace {

std::string digest(const Image& image) {
  return sha256_hex({reinterpret_cast<const char*>(image.rgb.data()), image.rgb.size()});
}

TEST(Scenes, CaptionIsTheIssuesGrammar) {
  Description description{.objects = {{Size::kSmall, Colour::kRed, Shape::kCircle, Place::kLeft},
                                      {Size::kLarge, Colour::kBlue, Shape::kStar, Place::kRight}},
                          .background = Background::kGreen};
  EXPECT_EQ(caption(description),
            "a small red circle on the left and a large blue star on the right, on a green background");
  description.objects = {{Size::kLarge, Colour::kWhite, Shape::kSquare, Place::kMiddle}};
  EXPECT_EQ(caption(description), "a large white square in the middle, on a green background");
}

// Recorded from this renderer: a change of a byte is a change of the dataset that every result on it depends on.
TEST(Scenes, RendersTheSameBytesAsEver) {
  std::string all;
  for (int64_t number = 0; number < 20; ++number) {
    const Scene scene = draw_scene(7, number);
    all += digest(render(scene.description, scene.nuisance));
    for (const EditedScene& edit : draw_edits(scene)) {
      all += digest(render(edit.description, scene.nuisance)) + digest(edit.mask);
    }
  }
  EXPECT_EQ(sha256_hex(all), "8f05f98da6ef7388a2d2a400ced74155f7b9d26fec647fb9d68afb94de4ccfc9");
}

TEST(Scenes, DependOnSeedAndNumberAlone) {
  const Scene scene = draw_scene(3, 41), again = draw_scene(3, 41), other = draw_scene(4, 41);
  EXPECT_EQ(render(scene.description, scene.nuisance).rgb, render(again.description, again.nuisance).rgb);
  EXPECT_NE(render(scene.description, scene.nuisance).rgb, render(scene.description, other.nuisance).rgb);
}

TEST(Scenes, EveryValueIsDrawn) {
  std::set<Size> sizes;
  std::set<Colour> colours;
  std::set<Shape> shapes;
  std::set<Place> places;
  std::set<Background> backgrounds;
  std::map<size_t, int> counts;
  for (int64_t number = 0; number < 200; ++number) {
    const Description description = draw_scene(0, number).description;
    backgrounds.insert(description.background);
    ++counts[description.objects.size()];
    for (const Object& object : description.objects) {
      sizes.insert(object.size), colours.insert(object.colour), shapes.insert(object.shape),
          places.insert(object.place);
    }
  }
  EXPECT_EQ(sizes.size(), kSizes.size());
  EXPECT_EQ(colours.size(), kColours.size());
  EXPECT_EQ(shapes.size(), kShapes.size());
  EXPECT_EQ(places.size(), kPlaces.size());
  EXPECT_EQ(backgrounds.size(), kBackgrounds.size());
  EXPECT_GT(counts[1], 50);
  EXPECT_GT(counts[2], 90);
}

// The mask is exact both ways: no byte differs outside, and it marks next to nothing that could not differ.
TEST(Scenes, EditsChangeTheirMaskAndNothingElse) {
  std::map<Edit, int> seen;
  for (int64_t number = 0; number < 100; ++number) {
    const Scene scene = draw_scene(11, number);
    const Image source = render(scene.description, scene.nuisance);
    for (const EditedScene& edit : draw_edits(scene)) {
      ++seen[edit.edit];
      EXPECT_NE(edit.description, scene.description);
      const Image target = render(edit.description, scene.nuisance);
      size_t marked = 0, equal = 0;
      for (size_t pixel = 0; pixel < source.rgb.size() / 3; ++pixel) {
        const auto at = static_cast<ptrdiff_t>(pixel * 3);
        const bool same = std::equal(source.rgb.begin() + at, source.rgb.begin() + at + 3, target.rgb.begin() + at);
        const bool may_change = edit.mask.rgb[pixel * 3] == 255;
        ASSERT_TRUE(same || may_change) << "scene " << number << ", " << kEdits.at(static_cast<size_t>(edit.edit));
        marked += may_change;
        equal += may_change && same;
      }
      EXPECT_GT(marked, 30u);
      EXPECT_LE(equal, marked / 20) << "scene " << number << ", " << kEdits.at(static_cast<size_t>(edit.edit));
    }
  }
  EXPECT_EQ(seen[Edit::kBackground], 100);
  EXPECT_GT(seen[Edit::kRemoval], 40);
}

TEST(Scenes, EditsNameTheWordsOfTheirRegion) {
  for (int64_t number = 0; number < 50; ++number) {
    const Scene scene = draw_scene(3, number);
    for (const EditedScene& edit : draw_edits(scene)) {
      SCOPED_TRACE(caption(edit.description));
      if (edit.edit == Edit::kRemoval) {
        EXPECT_EQ(edit.words, EditWords());
        continue;
      }
      ASSERT_EQ(edit.words.blend_source.size(), 1u);
      ASSERT_EQ(edit.words.blend_target.size(), 1u);
      const std::string& before = edit.words.blend_source[0];
      const std::string& after = edit.words.blend_target[0];
      EXPECT_EQ(before, after);
      EXPECT_EQ(before == "background", edit.edit == Edit::kBackground);
      EXPECT_THAT(split(caption(scene.description), ' '), testing::Contains(before));
      EXPECT_THAT(split(caption(edit.description), ' '), testing::Contains(after));
      for (size_t which = 0; which < scene.description.objects.size(); ++which) {
        const Object& object = scene.description.objects[which];
        if (object == edit.description.objects[which]) continue;
        const bool is_last = which + 1 == scene.description.objects.size();
        EXPECT_EQ(before, split(kPlaces.at(static_cast<size_t>(object.place)), ' ').back() + (is_last ? "," : ""));
      }
    }
  }
}

// sigma 2 of 255 in every channel: the pixels' deviation from a picture without texture is the grain and the texture.
TEST(Scenes, GrainHasItsDeviation) {
  Scene scene = draw_scene(0, 0);
  for (Wave& wave : scene.nuisance.texture) wave = {0, 0, 0};
  scene.nuisance.slope_across = scene.nuisance.slope_down = 0;
  const Description empty{.objects = {}, .background = Background::kTeal};
  const Image image = render(empty, scene.nuisance);
  for (size_t channel = 0; channel < 3; ++channel) {
    double sum = 0, squares = 0;
    for (size_t pixel = 0; pixel < image.rgb.size() / 3; ++pixel) {
      const double value = image.rgb[pixel * 3 + channel];
      sum += value, squares += value * value;
    }
    const double count = kSide * kSide;
    EXPECT_NEAR(std::sqrt(squares / count - sum / count * (sum / count)), 2.02, 0.08);  // with the rounding's share
  }
}

class ScenesFolder : public testing::Test {
 protected:
  ScratchFolder scratch_;
  WriteOptions options_{.folder = scratch_.path() / "made", .count = 3, .seed = 5, .edits = 2};
};

TEST_F(ScenesFolder, ReadsBackAsADataset) {
  write_scenes(options_);
  DatasetOptions reading;
  reading.name = "folder";
  reading.path = options_.folder;
  const auto dataset = open_dataset(reading);
  EXPECT_THAT(dataset->ids(), testing::ElementsAre("000000", "000001", "000002"));
  for (size_t index = 0; index < 3; ++index) {
    const Scene scene = draw_scene(5, static_cast<int64_t>(index));
    const Sample sample = dataset->read(index);
    EXPECT_EQ(sample.prompt, caption(scene.description));
    EXPECT_EQ(sample.pixels.rgb, render(scene.description, scene.nuisance).rgb);
    const std::vector<EditedScene> drawn = draw_edits(scene);
    const std::vector<EditName> edits = dataset->edits(index);
    ASSERT_EQ(edits.size(), 2u);
    for (size_t edit = 0; edit < 2; ++edit) {
      EXPECT_EQ(edits[edit].name, kEdits.at(static_cast<size_t>(drawn[edit].edit)));
      EXPECT_EQ(edits[edit].target_prompt, caption(drawn[edit].description));
      EXPECT_EQ(edits[edit].words, drawn[edit].words);
      const EditTruth truth = dataset->read_edit(index, edit);
      EXPECT_EQ(truth.target->rgb, render(drawn[edit].description, scene.nuisance).rgb);
      for (size_t pixel = 0; pixel < truth.mask->size(); ++pixel) {
        ASSERT_EQ(truth.mask->at(pixel) == 1, drawn[edit].mask.rgb[pixel * 3] == 255);
      }
    }
  }
}

TEST_F(ScenesFolder, RefusesAFolderThatHoldsSomething) {
  scratch_.write("made/x.png", png());
  EXPECT_THAT(error_of([&] { write_scenes(options_); }), testing::HasSubstr("made: holds something already"));
}

}  // namespace
}  // namespace roundtrip::data::scenes
