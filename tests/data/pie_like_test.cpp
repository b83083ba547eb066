#include "data/pie_like.h"

#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/text.h"
#include "data/lists.h"
#include "data/mask_runs.h"
#include "data/pie.h"

namespace roundtrip::data::pie {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

TEST(PieLike, HasAsManyEditsOfEachTypeAsPublished) {
  EXPECT_THAT(edits_by_type(700), ElementsAre(140, 80, 80, 80, 40, 40, 40, 40, 80, 80));
  EXPECT_THAT(edits_by_type(70), ElementsAre(14, 8, 8, 8, 4, 4, 4, 4, 8, 8));
  EXPECT_THAT(edits_by_type(3), ElementsAre(1, 1, 1, 0, 0, 0, 0, 0, 0, 0));
  for (int64_t count = 1; count < 40; ++count) {
    int64_t sum = 0;
    for (const int64_t of_type : edits_by_type(count)) sum += of_type;
    EXPECT_EQ(sum, count);
  }
}

TEST(PieLike, BracketsWhatDiffers) {
  EXPECT_THAT(bracketed("a red cat", "a blue cat"), Pair("a [red] cat", "a [blue] cat"));
  EXPECT_THAT(bracketed("a cat", "a big cat"), Pair("a cat", "a [big] cat"));
  EXPECT_THAT(bracketed("a cat", "a cat"), Pair("a cat", "a cat"));
  EXPECT_THAT(bracketed("one two", "three"), Pair("[one two]", "[three]"));
  EXPECT_THAT(bracketed("a a", "a a a"), Pair("a a", "a a [a]"));
}

TEST(PieLike, DependsOnCountAndSeedAlone) {
  const std::vector<SceneEdit> first = draw_edits(20, 1), again = draw_edits(20, 1), other = draw_edits(20, 2);
  ASSERT_EQ(first.size(), 20u);
  for (size_t k = 0; k < first.size(); ++k) {
    EXPECT_EQ(first[k].target, again[k].target);
    EXPECT_EQ(first[k].mask, again[k].mask);
  }
  EXPECT_NE(caption(first[0].target), caption(other[0].target));
}

// An edit of each type changes what the type says, inside its mask only, and names words that its prompts have.
TEST(PieLike, EditsAreOfTheirType) {
  std::map<int, int> seen;
  for (const SceneEdit& edit : draw_edits(280, 3)) {
    ++seen[edit.type];
    SCOPED_TRACE(edit.key);
    const Image source = render(edit.scene.description, edit.scene.nuisance);
    const Image target = render(edit.target, edit.scene.nuisance);
    for (size_t value = 0; value < source.rgb.size(); ++value) {
      ASSERT_TRUE(source.rgb[value] == target.rgb[value] || edit.mask[value / 3] == 1);
    }
    const std::string from = caption(edit.scene.description), to = caption(edit.target);
    EXPECT_NE(from, to);
    if (!edit.blended_word.empty()) {
      const std::vector<std::string> words = split(edit.blended_word, ' ');
      ASSERT_EQ(words.size(), 2u);
      EXPECT_THAT(split(from, ' '), Contains(words[0]));
      EXPECT_THAT(split(to, ' '), Contains(words[1]));
    }
    const auto& before = edit.scene.description.objects;
    const auto& after = edit.target.objects;
    EXPECT_EQ(edit.type == 2, after.size() > before.size());
    EXPECT_EQ(edit.type == 3, after.size() < before.size());
    EXPECT_EQ(edit.type == 9, edit.mask == std::vector<uint8_t>(edit.mask.size(), 1));
    EXPECT_EQ(edit.type == 5, before.size() == after.size() && before[0].place != after[0].place);
    EXPECT_TRUE(edit.type != 8 || before == after);
  }
  EXPECT_EQ(seen.size(), kTypes.size());
}

class PieLikeFolder : public ListTest {
 protected:
  PieLikeFolder() : ListTest("pie") {
    made_.folder = folder_.path() / "made";
    options_.path = made_.folder;
    set_params({{"equalizer", int64_t{2}}});
  }
  WriteOptions made_{.folder = {}, .count = 24, .seed = 5, .side = 64};
};

TEST_F(PieLikeFolder, ReadsBackAsADataset) {
  write_pie_like(made_);
  const auto dataset = open();
  const std::vector<SceneEdit> drawn = draw_edits(24, 5);
  ASSERT_EQ(dataset->ids().size(), 24u);
  std::set<std::string> folders;
  for (size_t index = 0; index < drawn.size(); ++index) {
    const SceneEdit& edit = drawn[index];
    const std::vector<std::string> parts = split(dataset->ids()[index], '/');
    folders.insert(parts.at(0));
    EXPECT_EQ(parts.at(1), edit.key);
    EXPECT_EQ(dataset->prompt(index), caption(edit.scene.description));
    const EditName name = dataset->edits(index).at(0);
    EXPECT_EQ(name.target_prompt, caption(edit.target));
    EXPECT_EQ(name.attributes.at("type"), std::to_string(edit.type));
    EXPECT_EQ(name.attributes.at("instruction"), edit.instruction);
    EXPECT_EQ(join(name.words.blend_source, ",") + (edit.blended_word.empty() ? "" : " ") +
                  join(name.words.blend_target, ","),
              edit.blended_word);
    const Image source = render(edit.scene.description, edit.scene.nuisance), read = dataset->read(index).pixels;
    double difference = 0;
    for (size_t value = 0; value < source.rgb.size(); ++value)
      difference += std::abs(source.rgb[value] - read.rgb[value]);
    EXPECT_LT(difference / static_cast<double>(source.rgb.size()), 4);  // JPEG at 95, at a pixel's size
    const EditTruth truth = dataset->read_edit(index, 0);
    EXPECT_EQ(*truth.mask, decode_mask({.list = encode_mask(edit.mask), .border = true}, 64, 64).pixels);
    EXPECT_EQ(truth.overruns, 0u);
  }
  EXPECT_THAT(folders, Contains("4_change_attribute_content_40"));
}

TEST_F(PieLikeFolder, EnlargesPicturesAndMasksAlike) {
  made_.side = 128;
  made_.count = 7;
  write_pie_like(made_);
  const std::vector<SceneEdit> drawn = draw_edits(7, 5);
  const auto dataset = open();
  EXPECT_EQ(dataset->read(0).pixels.height, 128);
  const std::vector<uint8_t> mask = *dataset->read_edit(0, 0).mask;
  for (size_t y = 1; y < 127; ++y) {
    for (size_t x = 1; x < 127; ++x) ASSERT_EQ(mask[y * 128 + x], drawn[0].mask[y / 2 * 64 + x / 2]);
  }
}

TEST_F(PieLikeFolder, HasBracketsAndTheBorderInItsFile) {
  made_.count = 1;
  write_pie_like(made_);
  const std::string text = read_file(made_.folder / "mapping_file.json");
  EXPECT_THAT(text, HasSubstr("\"000000000000\": {\"image_path\":\"0_random_140/000000000000.jpg\""));
  EXPECT_THAT(text, HasSubstr("["));
  EXPECT_THAT(text, HasSubstr("\"mask\":[0,65,127,2,"));
}

TEST_F(PieLikeFolder, RefusesAFolderThatHoldsSomething) {
  folder_.write("made/x.png", png());
  EXPECT_THAT(error_of([&] { write_pie_like(made_); }), HasSubstr("made: holds something already"));
}

}  // namespace
}  // namespace roundtrip::data::pie
