// Folders of flow models and of DiT that do not hold what their parts need: each is refused by name.
#include <fstream>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "model/model_folder.h"
#include "support/error_of.h"
#include "support/shared_material.h"
#include "support/temporary_folder.h"

namespace roundtrip::model {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using testing::error_of;
using ::testing::HasSubstr;

class FlowFolder : public ::testing::Test {
 protected:
  void SetUp() override { ROUNDTRIP_NEEDS_SHARED("flow"); }

  void copy(const std::string& model) {
    fs::copy(shared_material("flow/models/" + model), folder.path(), fs::copy_options::recursive);
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder.path())) {
      fs::permissions(entry.path(), fs::perms::owner_write, fs::perm_options::add);
    }
  }
  void change(const fs::path& name, const std::function<void(nlohmann::json&)>& edit) {
    nlohmann::json config = read_json(folder.path() / name);
    edit(config);
    std::ofstream(folder.path() / name) << config.dump();
  }
  ModelCard inspect(std::optional<int64_t> t5_tokens = {}) {
    return inspect_model({.path = folder.path(), .t5_tokens = t5_tokens});
  }
  std::string refusal(ErrorKind kind = ErrorKind::kInput) {
    return error_of([&] { inspect(); }, kind);
  }

  testing::TemporaryFolder folder;
};

TEST_F(FlowFolder, SaysWhatItHolds) {
  copy("tiny-flux");
  const ModelCard card = inspect();
  EXPECT_TRUE(card.is_flow());
  EXPECT_EQ(card.guidance, diffusion::GuidanceWay::kTold);
  EXPECT_EQ(card.latent_channels, 4);
  EXPECT_EQ(card.pixels_per_latent, 2);
  EXPECT_EQ(card.pixel_multiple, 4);
  EXPECT_EQ(card.pixel_size, (std::array<int64_t, 2>{32, 32}));  // the autoencoder's: FLUX names none
  EXPECT_EQ(card.text_length, 512);
  EXPECT_EQ(inspect(64).text_length, 64);
  EXPECT_EQ(card.network->predicts(), diffusion::Out::kVelocity);
  EXPECT_NE(card.grid(4, 16, 16)[1].p, card.grid(4, 32, 32)[1].p);  // the shift grows with the image
  EXPECT_NO_THROW(card.check_size(16, 24));
  EXPECT_THAT(error_of([&] { card.check_size(16, 22); }, ErrorKind::kType),
              HasSubstr("dataset.size: 16 x 22; expected multiples of 4, the model's factor"));
}

TEST_F(FlowFolder, TakesSd3WithoutT5AndWithIt) {
  copy("tiny-sd3");
  EXPECT_EQ(inspect().text_length, 77 + 256);
  EXPECT_EQ(inspect(12).text_length, 77 + 12);
  EXPECT_THAT(error_of([&] { inspect().check_size(16, 64); }, ErrorKind::kType),
              HasSubstr("at most 48 x 48, the model's table of positions"));
}

TEST_F(FlowFolder, RefusesT5WithoutItsTokenizer) {
  copy("tiny-sd35");
  fs::remove_all(folder.path() / "tokenizer_3");
  EXPECT_THAT(refusal(), HasSubstr("no tokenizer_3/; expected the tokenizer_3/ that belongs to text_encoder_3/"));
  fs::create_directory(folder.path() / "tokenizer_3");
  EXPECT_THAT(refusal(), HasSubstr("tokenizer_3: no tokenizer.json and no spiece.model"));
}

TEST_F(FlowFolder, ReadsZerosWhereTheThirdEncoderIsLeftOut) {
  copy("tiny-sd35");
  change("model_index.json", [](auto& index) { index["text_encoder_3"] = {nullptr, nullptr}; });
  const Model model = open_model({.path = folder.path()});
  EXPECT_EQ(model.text->encode("a cat").conditioning.tokens.narrow(0, 77, 256).abs().max().item<double>(), 0);
}

TEST_F(FlowFolder, RefusesASchedulerOfAnotherFamily) {
  copy("tiny-sd3");
  change("scheduler/scheduler_config.json", [](auto& config) { config["_class_name"] = "DDIMScheduler"; });
  EXPECT_THAT(refusal(), HasSubstr("FlowMatchEulerDiscreteScheduler: the network predicts a flow's velocity"));
}

TEST_F(FlowFolder, RefusesTwoNetworksAndOtherWidths) {
  copy("tiny-sd3");
  fs::create_directory(folder.path() / "unet");
  EXPECT_THAT(refusal(), HasSubstr("both transformer/ and unet/"));
  fs::remove(folder.path() / "unet");
  change("vae/config.json", [](auto& config) { config["latent_channels"] = 8; });
  EXPECT_THAT(refusal(), HasSubstr("expected"));
}

TEST_F(FlowFolder, RefusesKeysOfOtherTransformers) {
  copy("tiny-dit");
  change("transformer/config.json", [](auto& config) { config["norm_type"] = "ada_norm_single"; });
  EXPECT_THAT(refusal(), HasSubstr("norm_type is \"ada_norm_single\""));
  change("transformer/config.json", [](auto& config) {
    config["norm_type"] = "ada_norm_zero";
    config["_class_name"] = "Transformer2DModel";
  });
  EXPECT_TRUE(inspect().square);
  EXPECT_THAT(error_of([&] { inspect().check_size(16, 24); }, ErrorKind::kType), HasSubstr("a square"));
  change("transformer/config.json", [](auto& config) { config["caption_channels"] = 32; });
  EXPECT_THAT(refusal(), HasSubstr("'caption_channels' is 32, a key that this network does not know"));
}

TEST_F(FlowFolder, TakesAShiftOfTheUsers) {
  copy("tiny-flux");  // of a dynamic shift
  const diffusion::StepGrid grid = inspect_model({.path = folder.path(), .shift = 3}).grid(4, 64, 64);
  EXPECT_NEAR(grid[2].p, 3 * 0.5 / (1 + 2 * 0.5), 1e-12);  // of the line 1, 3/4, 1/2, 1/4
}

TEST_F(FlowFolder, RefusesAShiftOfAModelThatIsNoFlow) {
  copy("tiny-dit");
  EXPECT_THAT(error_of([&] { inspect_model({.path = folder.path(), .shift = 3}); }, ErrorKind::kType),
              HasSubstr("model.shift: 3 was given; expected null"));
}

TEST_F(FlowFolder, RefusesALengthForT5WhereThereIsNone) {
  copy("tiny-dit");
  EXPECT_THAT(error_of([&] { inspect(16); }, ErrorKind::kType),
              HasSubstr("model.t5_tokens: 16 was given; expected null"));
}

}  // namespace
}  // namespace roundtrip::model
