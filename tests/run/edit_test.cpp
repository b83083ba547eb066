// task=edit on the tiny model: a record for each edit, held against its answer and its background.
#include <algorithm>
#include <cmath>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "config/launch.h"
#include "data/png.h"
#include "plan/plan.h"
#include "plan/schema.h"
#include "run/runner.h"
#include "store/results_reader.h"
#include "support/scratch_folder.h"

namespace roundtrip::run {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class EditTask : public ::testing::Test {
 protected:
  void SetUp() override {
    log_ = std::tmpfile();
    write_picture("a.png", 3);
    write_picture("b.png", 5);
    write_picture("t/a-colour.png", 7);
    std::filesystem::create_directory(folder_.path() / "m");
    write_mask("m/half.png", 16);
    folder_.write("metadata.jsonl",
                  R"({"file_name": "a.png", "text": "a red circle", "target_text": "a blue circle", "edit": "colour", )"
                  R"("target_image": "t/a-colour.png", "mask": "m/half.png"})"
                  "\n"
                  R"({"file_name": "a.png", "text": "a red circle", "target_text": "a red square", "edit": "shape"})"
                  "\n"
                  R"({"file_name": "b.png", "text": "a dog"})");
  }
  void TearDown() override { std::fclose(log_); }

  void write_picture(const std::string& name, int factor) {
    data::Image image{.height = 32, .width = 32, .rgb = {}};
    for (int value = 0; value < 32 * 32 * 3; ++value) image.rgb.push_back(static_cast<uint8_t>(value * factor % 256));
    std::filesystem::create_directories((folder_.path() / name).parent_path());
    data::write_png(folder_.path() / name, image);
  }
  // White to the left of `edge`.
  void write_mask(const std::string& name, int edge, int side = 32) {
    data::Image image{.height = side, .width = side, .rgb = {}};
    for (int value = 0; value < side * side * 3; ++value) image.rgb.push_back(value / 3 % side < edge ? 255 : 0);
    data::write_png(folder_.path() / name, image);
  }

  plan::Plan plan(std::vector<std::string> words) const {
    words.insert(words.end(),
                 {"model.path=" ROUNDTRIP_SOURCE_DIR "/tests/golden/models/tiny-sd", "engine.threads=1",
                  "engine.max_batch=4", "dataset.path=" + folder_.path().string(), "metrics=[mse,psnr,latent_mse]"});
    const hydra::Flags flags = hydra::parse_flags(words);
    return plan::make_plan(config::prepare(flags, plan::schema(), hydra::search_path(flags)));
  }
  RunOutcome run(const plan::Plan& planned) const {
    return run_plan(planned, {.directory = out_.path() / "run", .log = log_});
  }
  std::string log() const {
    std::rewind(log_);
    std::string text;
    for (int c; (c = std::fgetc(log_)) != EOF;) text += static_cast<char>(c);
    return text;
  }

  ScratchFolder folder_, out_;
  std::FILE* log_ = nullptr;
};

TEST_F(EditTask, MakesARecordForEachEditFromSharedPivots) {
  const plan::Plan planned = plan({"-m", "task=reconstruct,edit", "steps=3", "guidance_scale=1"});
  EXPECT_EQ(planned.records, 2 + 2);
  EXPECT_EQ(planned.asked.most.forward, 4 * (3 + 3));
  EXPECT_EQ(planned.made.most.forward, 2 * 3 + 4 * 3);
  const RunOutcome outcome = run(planned);
  EXPECT_EQ(outcome.failures.size(), 0u);
  const store::ResultsReader results(outcome.results);
  EXPECT_EQ(results.provenance().at("evaluations_made"), "18");
  EXPECT_THAT(results.texts("task"), ElementsAre("reconstruct", "reconstruct", "edit", "edit"));
  EXPECT_THAT(results.texts("sample"), ElementsAre("a", "b", "a", "a"));
  EXPECT_THAT(results.texts("edit"), ElementsAre("", "", "colour", "shape"));
  EXPECT_THAT(results.integers("invert_nfe"), ElementsAre(3, 3, 3, 3));
}

TEST_F(EditTask, ScoresAgainstTheAnswerAndTheBackground) {
  const RunOutcome outcome = run(plan({"task=edit", "steps=2", "guidance_scale=1"}));
  const store::ResultsReader results(outcome.results);
  const auto at = [&](const char* column) { return results.numbers(column).at(0); };
  EXPECT_NEAR(at("edit_psnr"), -10 * std::log10(at("edit_mse")), 1e-9);
  EXPECT_NE(at("edit_mse"), at("mse"));
  EXPECT_NEAR(at("background_psnr"), -10 * std::log10(at("background_mse")), 1e-9);
  // Half of the frame is background: zeroed, its error counts for half.
  EXPECT_NEAR(at("background_zeroed_mse"), at("background_mse") / 2, 1e-7);
  for (const char* column : {"edit_psnr", "background_psnr", "background_zeroed_psnr"}) {
    EXPECT_TRUE(std::isnan(results.numbers(column).at(1))) << column;  // the second edit has neither answer nor mask
  }
  EXPECT_NE(outcome.table.find("background_psnr"), std::string::npos) << outcome.table;
}

TEST_F(EditTask, EachEditHasItsOwnPrompt) {
  const RunOutcome outcome = run(plan({"task=edit", "steps=2", "guidance_scale=3"}));
  const store::ResultsReader results(outcome.results);
  EXPECT_NE(results.numbers("latent_mse").at(0), results.numbers("latent_mse").at(1));
}

TEST_F(EditTask, AFullMaskHasNoBackgroundAndIsSaid) {
  write_mask("m/half.png", 32);
  const store::ResultsReader results(run(plan({"task=edit", "steps=2"})).results);
  EXPECT_TRUE(std::isnan(results.numbers("background_psnr").at(0)));
  EXPECT_TRUE(std::isnan(results.numbers("background_zeroed_psnr").at(0)));
  EXPECT_TRUE(std::isfinite(results.numbers("edit_psnr").at(0)));
  EXPECT_THAT(log(), HasSubstr("sample a colour: the mask is full"));
}

TEST_F(EditTask, AnEmptyMaskIsSaid) {
  write_mask("m/half.png", 0);
  const store::ResultsReader results(run(plan({"task=edit", "steps=2"})).results);
  EXPECT_NEAR(results.numbers("background_mse").at(0), results.numbers("mse").at(0), 1e-9);
  EXPECT_THAT(log(), HasSubstr("sample a colour: the mask is empty"));
}

TEST_F(EditTask, AMaskOfAnotherSizeFailsItsRecordAlone) {
  write_mask("m/half.png", 8, 16);
  const RunOutcome outcome = run(plan({"task=edit", "steps=2"}));
  EXPECT_EQ(outcome.failures.size(), 1);
  const store::ResultsReader results(outcome.results);
  EXPECT_THAT(results.texts("error").at(0), HasSubstr("m/half.png: 16 x 16 pixels; expected 32 x 32 as in a.png"));
  EXPECT_EQ(results.texts("status").at(1), "ok");
}

TEST_F(EditTask, WhatBoundedAnEditStandsBesideItsImage) {
  const RunOutcome outcome =
      run(plan({"task=edit", "steps=2", "guidance_scale=3", "save.images=all", "editor=prompt_to_prompt",
                "editor.words=released", "editor.blend.tokens=256", "editor.blend.words=[circle,circle]"}));
  ASSERT_EQ(outcome.failures.size(), 0u);
  const store::ResultsReader results(outcome.results);
  for (const char* row : {"0", "1"}) {
    const store::Array mask = results.array(std::string("blend_masks/") + row);
    EXPECT_EQ(mask.shape, (std::vector<int64_t>{32, 32}));
    for (const std::byte value : mask.bytes) ASSERT_TRUE(value == std::byte{0} || value == std::byte{255});
    const store::Array words = results.array(std::string("word_maps/") + row);
    EXPECT_EQ(words.shape, (std::vector<int64_t>{2, 32, 32}));
    EXPECT_EQ(*std::ranges::max_element(words.bytes), std::byte{255});  // maps are shares of their maximum
  }
}

TEST_F(EditTask, AnEditThatNothingBoundedHasNoMaps) {
  const RunOutcome outcome = run(plan({"task=edit", "steps=2", "guidance_scale=3", "save.images=all",
                                       "editor=prompt_to_prompt", "editor.blend.words=[]"}));
  const store::ResultsReader results(outcome.results);
  EXPECT_TRUE(results.has_array("images/0"));
  EXPECT_FALSE(results.has_array("blend_masks") || results.has_array("word_maps"));
}

TEST_F(EditTask, WithoutTargetsIsRefused) {
  folder_.write("metadata.jsonl", R"({"file_name": "a.png", "text": "a red circle"})");
  try {
    plan({"task=edit"});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_THAT(error.message(), HasSubstr("task=edit, and no image has an edit; expected a target_text"));
  }
}

}  // namespace
}  // namespace roundtrip::run
