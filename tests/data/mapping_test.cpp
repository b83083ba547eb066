// dataset=mapping: lists whose fields the config names, in the forms of FlowEdit and DNA-Bench.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/lists.h"

namespace roundtrip::data {
namespace {

using config::List;
using config::Map;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

// The sections of configs/dataset: mapping's, with the given fields.
std::map<std::string, config::Params::Value> section(const Map& fields, const std::string& images = "") {
  Map all = {{"image", "image"},
             {"source", "source_prompt"},
             {"target", "target_prompt"},
             {"mask", {}},
             {"type", {}},
             {"blend", {}},
             {"edit", {}},
             {"instruction", {}}};
  for (auto& [key, value] : all) {
    for (const auto& [given, other] : fields) {
      if (given == key) value = other;
    }
  }
  config::Value path;
  if (!images.empty()) path = images;
  return {{"fields", all},
          {"images_path", path},
          {"strip", std::string("[]")},
          {"mask_border", false},
          {"equalizer", config::Value{}}};
}

class MappingTest : public ListTest {
 protected:
  MappingTest() : ListTest("mapping") {
    set_params(section({}));
    for (const char* name : {"pictures/bear.png", "pictures/cat.png"}) folder_.write(name, png());
  }
};

// As FlowEdit publishes it: prompts over several lines, a space before a colon, several targets with codes.
constexpr const char* kFlowEdit = R"(-
    init_img:  pictures/bear.png

    source_prompt: A large brown bear in a stream.
        The stream ''s shallow, "as" it seems.

    target_prompts:
     - A large black bear in a stream. 
     - A large panda
      in a stream.

    target_codes:
     - 1_black_bear
     - 2_panda

-

    input_img : pictures/cat.png
    source_prompt: A cat.
    target_prompts:
    - A dog.
    target_codes:
    - dog
)";

TEST_F(MappingTest, ReadsFlowEditsList) {
  set_params(
      section({{"image", List{"init_img", "input_img"}}, {"target", "target_prompts"}, {"edit", "target_codes"}}));
  folder_.write("flowedit.yaml", kFlowEdit);
  const auto dataset = open();
  EXPECT_THAT(dataset->ids(), ElementsAre("pictures/bear", "pictures/cat"));
  EXPECT_EQ(dataset->prompt(0), "A large brown bear in a stream. The stream ''s shallow, \"as\" it seems.");
  const std::vector<EditName> edits = dataset->edits(0);
  ASSERT_EQ(edits.size(), 2u);
  EXPECT_EQ(edits[0].name, "1_black_bear");
  EXPECT_EQ(edits[0].target_prompt, "A large black bear in a stream.");
  EXPECT_EQ(edits[1].name, "2_panda");
  EXPECT_EQ(edits[1].target_prompt, "A large panda in a stream.");
  EXPECT_TRUE(edits[0].attributes.empty());
  EXPECT_EQ(dataset->edits(1).size(), 1u);
  EXPECT_FALSE(dataset->read_edit(0, 0).mask);
}

TEST_F(MappingTest, ReadsDnaBenchsList) {
  auto values = section({{"image", "image_path"},
                         {"source", "original_prompt"},
                         {"target", "editing_prompt"},
                         {"type", "editing_type_id"},
                         {"blend", "blended_word"},
                         {"instruction", "editing_instruction"}},
                        (folder_.path() / "pictures").string());
  values["equalizer"] = int64_t{2};
  set_params(values);
  options_.path = folder_.write("lists/long_mapping_file.json",
                                R"({"000000000000": {"image_path": "bear.png", "original_prompt": "A [bear]",
    "editing_prompt": "A panda", "editing_instruction": "Change it", "editing_type_id": "0", "blended_word": "bear panda"}})");
  const auto dataset = open();
  EXPECT_THAT(dataset->ids(), ElementsAre("bear"));
  EXPECT_EQ(dataset->prompt(0), "A bear");
  const EditName edit = dataset->edits(0).at(0);
  EXPECT_THAT(edit.attributes, ElementsAre(Pair("instruction", "Change it"), Pair("type", "0")));
  EXPECT_THAT(edit.words.blend_target, ElementsAre("panda"));
  EXPECT_THAT(edit.words.equalizer, ElementsAre(Pair("panda", 2.0)));
}

TEST_F(MappingTest, GathersTheEditsOfOneImage) {
  folder_.write("list.json", R"([
    {"image": "pictures/bear.png", "source_prompt": "a bear", "target_prompt": "a cat"},
    {"image": "pictures/cat.png", "source_prompt": "a cat", "target_prompt": "a dog"},
    {"image": "./pictures/bear.png", "source_prompt": "a bear", "target_prompt": "a dog"}])");
  const auto dataset = open();
  EXPECT_THAT(dataset->ids(), ElementsAre("pictures/bear", "pictures/cat"));
  ASSERT_EQ(dataset->edits(0).size(), 2u);
  EXPECT_EQ(dataset->edits(0)[0].name, "1");
  EXPECT_EQ(dataset->edits(0)[1].name, "2");
  EXPECT_EQ(dataset->edits(0)[1].target_prompt, "a dog");
  EXPECT_EQ(dataset->edits(1)[0].name, "");
}

TEST_F(MappingTest, TakesMasksAsFilesTextsAndLists) {
  set_params(section({{"mask", "mask"}}));
  folder_.write("pictures/white.png", encoded(cv::Mat(4, 5, CV_8U, cv::Scalar(255)), ".png"));
  const auto mask_of = [&](const std::string& value) {
    folder_.write(
        "list.json",
        R"([{"image": "pictures/bear.png", "source_prompt": "a", "target_prompt": "b", "mask": )" + value + "}]");
    return open()->read_edit(0, 0).mask;
  };
  EXPECT_EQ(std::ranges::count(*mask_of(R"("pictures/white.png")"), 1), 20);
  EXPECT_EQ(std::ranges::count(*mask_of(R"("0 3 7 1")"), 1), 4);
  EXPECT_EQ(std::ranges::count(*mask_of(R"("0, 3, 7, 1")"), 1), 4);
  EXPECT_EQ(std::ranges::count(*mask_of("[0, 3, 7, 1]"), 1), 4);
  EXPECT_FALSE(mask_of("null"));
  EXPECT_THAT(error_of([&] { mask_of(R"("pictures/whit.png")"); }),
              HasSubstr("list.json: entry 1: mask 'pictures/whit.png' does not exist"));
  EXPECT_THAT(error_of([&] { mask_of(R"("0 3x")"); }), HasSubstr("mask '0 3x' does not exist"));
}

TEST_F(MappingTest, ReadsImagesWithoutEdits) {
  set_params(section({{"source", {}}, {"target", {}}}));
  options_.prompt = "a photo";
  folder_.write("list.json", R"([{"image": "pictures/bear.png"}])");
  EXPECT_EQ(open()->prompt(0), "a photo");
  EXPECT_TRUE(open()->edits(0).empty());
  folder_.write("list.json", R"([{"image": "pictures/bear.png"}, {"image": "pictures/bear.png"}])");
  EXPECT_EQ(refusal(), "list.json: entry 2: 'pictures/bear.png' repeats list.json: entry 1; expected an image once");
}

TEST_F(MappingTest, RefusesEntriesThatContradictEachOther) {
  const std::string first = R"([{"image": "pictures/bear.png", "source_prompt": "a bear", "target_prompt": "x"}, )";
  const auto second = [&](const std::string& entry) {
    folder_.write("list.json", first + entry + "]");
    return refusal();
  };
  EXPECT_EQ(
      second(R"({"image": "pictures/bear.png", "source_prompt": "a cat", "target_prompt": "y"})"),
      "list.json: entry 2: 'pictures/bear.png' has another source prompt than at list.json: entry 1; expected one "
      "source prompt for an image");
  folder_.write("pictures/bear.bmp", encoded(as_mat(pattern(4, 5)), ".bmp"));
  EXPECT_THAT(second(R"({"image": "pictures/bear.bmp", "source_prompt": "a bear", "target_prompt": "y"})"),
              HasSubstr("are both sample 'pictures/bear'; expected names that differ"));
  set_params(section({{"edit", "edit"}}));
  folder_.write("list.json", R"([{"image": "pictures/bear.png", "source_prompt": "a", "target_prompt": ["b", "c"],
    "edit": ["e", "e"]}])");
  EXPECT_EQ(refusal(),
            "list.json: entry 1: two edits of 'pictures/bear.png' are named 'e'; expected names that differ");
  folder_.write("list.json", R"([{"image": "pictures/bear.png", "source_prompt": "a", "target_prompt": ["b", "c"],
    "edit": ["e"]}])");
  EXPECT_EQ(refusal(), "list.json: entry 1: edit has 1 entries; expected 2, one for each target prompt");
  folder_.write("list.json",
                R"([{"image": "pictures/bear.png", "source_prompt": "a", "target_prompt": [], "edit": []}])");
  EXPECT_EQ(refusal(), "list.json: entry 1: target_prompt is an empty list; expected a target prompt");
}

TEST_F(MappingTest, RefusesFieldsThatNoRecordHas) {
  folder_.write("list.json", R"([{"img": "pictures/bear.png", "source_prompt": "a bear", "target_prompt": "x"}])");
  EXPECT_EQ(refusal(),
            "list.json: entry 1: has no image; expected it beside img, source_prompt, target_prompt. Did you mean "
            "'img'?");
  set_params(section({{"image", {}}}));
  EXPECT_EQ(refusal(ErrorKind::kType),
            "dataset.fields.image: found null; expected the name of the field that names the image");
}

TEST_F(MappingTest, RefusesAFolderWithSeveralLists) {
  folder_.write("b.yaml", "[]");
  folder_.write("a.json", "[]");
  EXPECT_THAT(refusal(), HasSubstr("holds a.json and b.yaml; expected dataset.path to name one of them"));
}

TEST_F(MappingTest, RefusesYamlThatDoesNotParse) {
  folder_.write("list.yaml", "- image: [\n");
  EXPECT_THAT(error_of([&] { open(); }, ErrorKind::kParse), HasSubstr("list.yaml:"));
  folder_.write("list.yaml", "- image: pictures/bear.png\n  image: pictures/cat.png\n");
  EXPECT_THAT(error_of([&] { open(); }, ErrorKind::kParse), HasSubstr("list.yaml:"));
}

}  // namespace
}  // namespace roundtrip::data
