// Folders that do not make a model, each with one thing wrong: every message names the place and the way out.
#include "model/model_folder.h"

#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <string>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "model/prompt_table.h"
#include "model/safetensors.h"
#include "model/safetensors_writer.h"
#include "support/error_of.h"
#include "support/temporary_folder.h"

namespace roundtrip::model {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using roundtrip::testing::error_of;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;

// A copy of tiny-sd that a test may break.
class ModelFolder : public ::testing::Test {
 protected:
  ModelFolder() {
    fs::copy(ROUNDTRIP_SOURCE_DIR "/tests/golden/models/tiny-sd", folder.path(), fs::copy_options::recursive);
  }

  Model open() const { return open_model({.path = folder.path()}); }
  // What opening refuses, inspecting refuses alike.
  std::string open_error() const {
    const std::string error = error_of([&] { open(); });
    EXPECT_EQ(error_of([&] { inspect_model({.path = folder.path()}); }), error);
    return error;
  }

  void set(std::string_view component, std::string_view key, const json& value) const {
    const fs::path path = folder.path() / component / "config.json";
    json config = read_json(path);
    config[key] = value;
    folder.write((fs::path(component) / "config.json").string(), config.dump());
  }

  void change_weights(std::string_view component, const std::string& file,
                      const std::function<void(std::map<std::string, at::Tensor>&)>& change) const {
    const fs::path path = folder.path() / component / file;
    std::map<std::string, at::Tensor> tensors;
    const SafetensorsFile source = SafetensorsFile::open(path);
    for (const auto& [name, entry] : source.entries()) tensors[name] = source.tensor(name).clone();
    change(tensors);
    fs::remove(path);
    write_safetensors(path, tensors);
  }
  void change_unet(const std::function<void(std::map<std::string, at::Tensor>&)>& change) const {
    change_weights("unet", "diffusion_pytorch_model.safetensors", change);
  }

  roundtrip::testing::TemporaryFolder folder;
};

TEST_F(ModelFolder, IsInspectedAsItIsOpened) {
  const ModelCard card = inspect_model({.path = folder.path()});
  const Model model = open();
  EXPECT_EQ(card.name, model.name);
  EXPECT_EQ(card.parameters, model.parameters);
  EXPECT_GT(card.parameters, 0);
  EXPECT_EQ(card.latent_channels, model.latent_channels);
  EXPECT_EQ(card.pixel_size, model.pixel_size);
  EXPECT_EQ(card.pixel_multiple, model.pixel_multiple);
  EXPECT_EQ(card.text_length, model.text_length);
  EXPECT_EQ(card.text_channels, model.text_channels);
  EXPECT_EQ(std::get<diffusion::ScheduleConfig>(card.schedule).train_steps,
            std::get<diffusion::ScheduleConfig>(model.schedule).train_steps);
  EXPECT_EQ(card.weight_files.size(), 3u);
  EXPECT_EQ(card.digest(), model.digest());
}

TEST_F(ModelFolder, IsOpenedWithoutItsIndex) {
  fs::remove(folder.path() / "model_index.json");
  EXPECT_EQ(open().latent_channels, 4);
}

TEST_F(ModelFolder, MustBeThere) {
  EXPECT_THAT(error_of([] { open_model({.path = "/nowhere/at/all"}); }),
              AllOf(HasSubstr("/nowhere/at/all: no such folder"), HasSubstr("unet/")));
}

TEST_F(ModelFolder, NeedsAUNet) {
  fs::remove_all(folder.path() / "unet");
  EXPECT_THAT(open_error(), HasSubstr("no unet/"));
}

TEST_F(ModelFolder, NeedsAScheduler) {
  fs::remove_all(folder.path() / "scheduler");
  EXPECT_THAT(open_error(), HasSubstr("no scheduler/"));
}

TEST_F(ModelFolder, NeedsTheTextThatItsUNetAttendsTo) {
  fs::remove_all(folder.path() / "text_encoder");
  EXPECT_THAT(open_error(), HasSubstr("no text_encoder/"));
}

TEST_F(ModelFolder, NeedsTheTokenizerOfItsTextEncoder) {
  fs::remove_all(folder.path() / "tokenizer");
  EXPECT_THAT(open_error(), HasSubstr("no tokenizer/"));
}

TEST_F(ModelFolder, WithoutAVaeRunsOnPixelsThatItsUNetMustTake) {
  fs::remove_all(folder.path() / "vae");
  EXPECT_THAT(open_error(), AllOf(HasSubstr("in_channels is 4"), HasSubstr("expected 3")));
}

TEST_F(ModelFolder, NamesAMissingWeight) {
  change_unet([](auto& tensors) { tensors.erase("mid_block.resnets.1.conv2.weight"); });
  EXPECT_THAT(open_error(), AllOf(HasSubstr("unet/diffusion_pytorch_model.safetensors"),
                                  HasSubstr("no tensor 'mid_block.resnets.1.conv2.weight'")));
}

TEST_F(ModelFolder, NamesAMisshapenWeight) {
  change_unet([](auto& tensors) { tensors["conv_in.weight"] = at::zeros({32, 3, 3, 3}); });
  EXPECT_THAT(open_error(),
              AllOf(HasSubstr("'conv_in.weight' has shape [32, 3, 3, 3]"), EndsWith("expected [32, 4, 3, 3]")));
}

TEST_F(ModelFolder, NamesAWeightThatNoLayerReads) {
  change_unet([](auto& tensors) { tensors["class_embedding.weight"] = at::zeros({10, 128}); });
  EXPECT_THAT(open_error(), HasSubstr("'class_embedding.weight'"));
}

TEST_F(ModelFolder, IgnoresTheBuffersThatOldWritersSaved) {
  change_weights("text_encoder", "model.safetensors",
                 [](auto& tensors) { tensors["embeddings.position_ids"] = at::arange(77).unsqueeze(0); });
  EXPECT_EQ(open().text_length, 77);
}

TEST_F(ModelFolder, ReadsTextWeightsUnderTheirOldPrefix) {
  const at::Tensor expected = open().text->encode("a cat").conditioning.tokens;
  change_weights("text_encoder", "model.safetensors", [](auto& tensors) {
    std::map<std::string, at::Tensor> prefixed;
    for (const auto& [name, tensor] : tensors) prefixed["text_model." + name] = tensor;
    tensors = std::move(prefixed);
  });
  EXPECT_TRUE(open().text->encode("a cat").conditioning.tokens.equal(expected));
}

TEST_F(ModelFolder, ReadsVaeAttentionUnderItsOldNames) {
  const at::Tensor z = at::linspace(-1, 1, 4 * 8 * 8).view({1, 4, 8, 8});
  const at::Tensor expected = open().codec->decode(z);
  change_weights("vae", "diffusion_pytorch_model.safetensors", [](auto& tensors) {
    std::map<std::string, at::Tensor> renamed;
    for (const auto& [name, tensor] : tensors) {
      std::string old = name;
      for (const auto& [from, to] : {std::pair{"to_q", "query"}, std::pair{"to_k", "key"}, std::pair{"to_v", "value"},
                                     std::pair{"to_out.0", "proj_attn"}}) {
        if (const size_t at = old.find(from); at != std::string::npos) old.replace(at, std::string(from).size(), to);
      }
      renamed[old] = tensor;
    }
    tensors = std::move(renamed);
  });
  EXPECT_TRUE(open().codec->decode(z).equal(expected));
}

TEST_F(ModelFolder, NamesAnUnknownClassAndTheKnownOnes) {
  set("unet", "_class_name", "UNet2DConditionalModel");
  EXPECT_THAT(open_error(), AllOf(HasSubstr("unet/config.json: _class_name is \"UNet2DConditionalModel\""),
                                  HasSubstr("Did you mean 'UNet2DConditionModel'?")));
  set("unet", "_class_name", "UNet2DConditionModel");
  set("vae", "_class_name", "VQModel");
  EXPECT_THAT(open_error(), AllOf(HasSubstr("vae/config.json"), HasSubstr("expected AutoencoderKL")));
}

TEST_F(ModelFolder, RefusesTextEncodersThatItDoesNotKnow) {
  set("text_encoder", "architectures", {"T5EncoderModel"});
  EXPECT_THAT(open_error(), AllOf(HasSubstr("T5EncoderModel"), HasSubstr("expected CLIPTextModel")));
}

struct Key {
  std::string component, key, value, says;
};

class ModelFolderKey : public ModelFolder, public ::testing::WithParamInterface<Key> {};

TEST_P(ModelFolderKey, IsRefused) {
  const Key& key = GetParam();
  set(key.component, key.key, json::parse(key.value));
  EXPECT_THAT(open_error(), AllOf(HasSubstr(key.component + "/config.json"), HasSubstr(key.key), HasSubstr(key.says)));
}

INSTANTIATE_TEST_SUITE_P(
    ThatWouldChangeTheArithmetic, ModelFolderKey,
    ::testing::Values(
        Key{"unet", "act_fn", R"("selu")", "silu, swish, mish, gelu or relu"},
        Key{"unet", "class_embed_type", R"("timestep")", "null"},
        Key{"unet", "addition_embed_type", R"("text_image")", "text_time"},
        Key{"unet", "attention_type", R"("gated")", ""}, Key{"unet", "dual_cross_attention", "true", "false"},
        Key{"unet", "time_cond_proj_dim", "2", "null, or 4 or more"},
        Key{"unet", "encoder_hid_dim_type", R"("image_proj")", "null"},
        Key{"unet", "encoder_hid_dim_type", R"("text_proj")", "encoder_hid_dim"},
        Key{"unet", "num_class_embeds", "10", "null"}, Key{"unet", "time_embedding_type", R"("fourier")", "positional"},
        Key{"unet", "resnet_time_scale_shift", R"("spatial")", "scale_shift"},
        Key{"unet", "resnet_skip_time_act", "true", "false"},
        Key{"unet", "resnet_out_scale_factor", "0", "other than 0"},
        Key{"unet", "down_block_types", R"(["CrossAttnDownBlock2D", "KDownBlock2D"])", "DownBlock2D"},
        Key{"unet", "up_block_types", R"(["SkipUpBlock2D", "UpBlock2D"])", "AttnUpBlock2D"},
        Key{"unet", "down_block_types", R"(["CrossAttnDownBlock2D"])", "2 names"},
        Key{"unet", "mid_block_type", R"("UNetMidBlock2DSimpleCrossAttn")", "UNetMidBlock2DCrossAttn"},
        Key{"unet", "norm_num_groups", "7", "divisor"}, Key{"unet", "norm_num_groups", "0", "1 or more"},
        Key{"unet", "norm_num_groups", "null", "whole number"}, Key{"unet", "attention_head_dim", "65", "1 to "},
        Key{"unet", "attention_head_dim", "-4", "1 to 32"},
        Key{"unet", "cross_attention_dim", "[32, 16]", "same tokens"},
        Key{"unet", "transformer_layers_per_block", "[[1, 1, 1], [1]]", "a list of 1 of them"},
        Key{"unet", "transformer_layers_per_block", "[\"a\", 1]", "whole number"},
        Key{"unet", "transformer_layers_per_block", "-1", "0 or more"},
        Key{"unet", "block_out_channels", "[]", "one or more"}, Key{"unet", "block_out_channels", R"("32")", "list"},
        Key{"unet", "layers_per_block", "0", "1 or more"}, Key{"unet", "conv_in_kernel", "2", "odd"},
        Key{"unet", "downsample_padding", "2", "0 or 1"}, Key{"unet", "num_attention_heads", "4", "null"},
        Key{"unet", "sample_size", "[16, 0]", "1 or more"}, Key{"unet", "invented_key", "1", "does not know"},
        Key{"vae", "act_fn", R"("selu")", "silu"}, Key{"vae", "latents_mean", "[0, 0, 0, 0]", "null"},
        Key{"vae", "down_block_types", R"(["DownEncoderBlock2D", "DownBlock2D"])", "DownEncoderBlock2D"},
        Key{"vae", "up_block_types", R"(["UpDecoderBlock2D"])", "2 names"},
        Key{"vae", "scaling_factor", "0", "other than 0"}, Key{"vae", "in_channels", "1", "RGB"},
        Key{"vae", "invented_key", "1", "does not know"}, Key{"text_encoder", "hidden_act", R"("relu")", "quick_gelu"},
        Key{"text_encoder", "num_attention_heads", "5", "divisor"},
        Key{"text_encoder", "model_type", R"("t5")", "clip_text_model"},
        Key{"text_encoder", "invented_key", "1", "does not know"}));

TEST_F(ModelFolder, RefusesATokenizerLongerThanItsTextEncoder) {
  set("text_encoder", "max_position_embeddings", 16);
  change_weights("text_encoder", "model.safetensors",
                 [](auto& tensors) { tensors["embeddings.position_embedding.weight"] = at::zeros({16, 32}); });
  EXPECT_THAT(open_error(), AllOf(HasSubstr("pads to 77"), HasSubstr("at most 16")));
}

TEST_F(ModelFolder, RefusesTextThatItsUNetDoesNotTake) {
  set("text_encoder", "vocab_size", 100);
  change_weights("text_encoder", "model.safetensors",
                 [](auto& tensors) { tensors["embeddings.token_embedding.weight"] = at::zeros({100, 32}); });
  const Model model = open();
  EXPECT_THAT(error_of([&] { model.text->encode("a cat"); }), HasSubstr("ids below 100"));
}

TEST(PromptTable, HasNoTokens) {
  const roundtrip::testing::TemporaryFolder folder;
  const fs::path path = folder.path() / "prompts.safetensors";
  write_safetensors(path, {{"a cat", at::zeros({3, 4})}});
  const PromptTable table(path, 4, at::kCPU);
  EXPECT_FALSE(table.tokens("a cat"));
}

TEST(ModelOptions, NameADtype) {
  const fs::path path = ROUNDTRIP_SOURCE_DIR "/tests/golden/models/tiny-sd";
  EXPECT_THAT(error_of([&] { open_model({.path = path, .dtype = "float23"}); }), HasSubstr("Did you mean 'float32'?"));
}

}  // namespace
}  // namespace roundtrip::model
