// Folders that are something else than a pipeline around a UNet: each is told what it is.
#include "model/model_index.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/error_of.h"
#include "support/temporary_folder.h"

namespace roundtrip::model {
namespace {

using roundtrip::testing::error_of;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;

class ModelIndexTest : public ::testing::Test {
 protected:
  std::string refused() const {
    return error_of([&] { read_model_index(folder.path()); });
  }
  std::string refused_with(std::string_view index) const {
    folder.write("model_index.json", index);
    return refused();
  }

  testing::TemporaryFolder folder;
};

TEST_F(ModelIndexTest, TakesPipelinesAroundAUNetWithWhatSurroundsIt) {
  folder.write("model_index.json", R"({"_class_name": "StableDiffusionPipeline", "_diffusers_version": "0.6.0",
      "unet": ["diffusers", "UNet2DConditionModel"], "safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"],
      "image_encoder": [null, null], "controlnet": null, "requires_safety_checker": true})");
  EXPECT_EQ(read_model_index(folder.path()).pipeline, "StableDiffusionPipeline");
}

TEST_F(ModelIndexTest, TakesPipelinesAroundATransformerThatIsImplemented) {
  folder.write("model_index.json", R"({"_class_name": "StableDiffusion3Pipeline", "transformer": ["diffusers",
      "SD3Transformer2DModel"], "text_encoder_3": [null, null], "tokenizer_3": null, "image_encoder": [null, null],
      "text_encoder": ["transformers", "CLIPTextModelWithProjection"]})");
  const ModelIndex index = read_model_index(folder.path());
  EXPECT_TRUE(index.left_out.contains("text_encoder_3"));
  EXPECT_TRUE(index.left_out.contains("tokenizer_3"));
  EXPECT_FALSE(index.left_out.contains("text_encoder"));
}

TEST_F(ModelIndexTest, ReadsTheNamesOfClasses) {
  constexpr std::string_view kDit = R"({"transformer": ["diffusers", "DiTTransformer2DModel"], "id2label": )";
  folder.write("model_index.json", std::string(kDit) + R"({"0": "tench, Tinca tinca", "7": "cock"}})");
  EXPECT_EQ(read_model_index(folder.path()).labels,
            (std::map<int64_t, std::string>{{0, "tench, Tinca tinca"}, {7, "cock"}}));
  EXPECT_THAT(refused_with(std::string(kDit) + R"({"first": "tench"}})"),
              HasSubstr("id2label has 'first': \"tench\"; expected a name for each number of a class"));
}

TEST_F(ModelIndexTest, SaysWhetherEmptyPromptsAreZeros) {
  constexpr std::string_view kUNet = R"({"unet": ["diffusers", "UNet2DConditionModel"], )";
  folder.write("model_index.json", std::string(kUNet) + R"("force_zeros_for_empty_prompt": false})");
  EXPECT_FALSE(read_model_index(folder.path()).force_zeros_for_empty_prompt);
  folder.write("model_index.json", std::string(kUNet) + R"("force_zeros_for_empty_prompt": true})");
  EXPECT_TRUE(read_model_index(folder.path()).force_zeros_for_empty_prompt);
}

TEST_F(ModelIndexTest, RefusesOtherPipelinesByName) {
  EXPECT_THAT(
      refused_with(R"({"_class_name": "Flux2Pipeline", "transformer": ["diffusers", "Flux2Transformer2DModel"]})"),
      AllOf(HasSubstr("model_index.json: a Flux2Pipeline with a transformer (Flux2Transformer2DModel); expected a "
                      "pipeline around a "),
            HasSubstr("FluxTransformer2DModel"), HasSubstr("UNet2DConditionModel")));
  for (const std::string transformer :
       {"SanaTransformer2DModel", "PixArtTransformer2DModel", "WanTransformer3DModel"}) {
    EXPECT_THAT(refused_with(R"({"transformer": ["diffusers", ")" + transformer + R"("]})"),
                HasSubstr("with a transformer (" + transformer + ")"));
  }
  EXPECT_THAT(
      refused_with(R"({"_class_name": "StableDiffusion3Pipeline", "transformer": ["diffusers",
      "SD3Transformer2DModel"], "image_encoder": ["transformers", "SiglipVisionModel"]})"),
      HasSubstr("a StableDiffusion3Pipeline with an image_encoder (SiglipVisionModel), which is an IP-Adapter's"));
  for (const std::string pipeline : {"FluxKontextPipeline", "FluxFillPipeline", "FluxControlPipeline"}) {
    EXPECT_THAT(refused_with(R"({"_class_name": ")" + pipeline + R"(", "transformer": ["diffusers",
                             "FluxTransformer2DModel"]})"),
                HasSubstr("a " + pipeline + ", whose network takes an image besides the latent; expected"));
  }
  EXPECT_THAT(refused_with(R"({"_class_name": "StableDiffusionControlNetPipeline", "unet": ["diffusers",
      "UNet2DConditionModel"], "controlnet": ["diffusers", "ControlNetModel"]})"),
              HasSubstr("a StableDiffusionControlNetPipeline with a controlnet (ControlNetModel)"));
  EXPECT_THAT(
      refused_with(R"({"_class_name": "LDMPipeline", "unet": ["diffusers", "UNet2DModel"], "vqvae": ["diffusers",
      "VQModel"]})"),
      HasSubstr("a LDMPipeline with a vqvae (VQModel)"));
  EXPECT_THAT(refused_with(R"({"_class_name": "StableDiffusionXLImg2ImgPipeline", "unet": ["diffusers",
      "UNet2DConditionModel"], "requires_aesthetics_score": true})"),
              HasSubstr("an aesthetic score (SDXL's refiner)"));
  EXPECT_THAT(refused_with(R"({"_class_name": "AmusedPipeline"})"), HasSubstr("a AmusedPipeline without a unet"));
  EXPECT_THAT(refused_with("[]"), HasSubstr("not a JSON object"));
  EXPECT_THAT(refused_with("version https://git-lfs.github.com/spec/v1\n"), HasSubstr("a Git LFS pointer"));
}

TEST_F(ModelIndexTest, RefusesLoneComponentsByName) {
  folder.write("config.json", R"({"_class_name": "ControlNetModel"})");
  EXPECT_THAT(refused(), HasSubstr(": a lone ControlNetModel; expected"));
  folder.write("config.json", R"({"architectures": ["CLIPModel"]})");
  EXPECT_THAT(refused(), HasSubstr("a lone [\"CLIPModel\"]"));
  folder.write("config.json", R"({"_class_name": "UNet2DModel"})");
  EXPECT_NO_THROW(read_model_index(folder.path()));
}

TEST_F(ModelIndexTest, RefusesAdapters) {
  folder.write("pytorch_lora_weights.safetensors", "");
  EXPECT_THAT(refused(), HasSubstr("an adapter (LoRA), not a whole model"));
}

TEST_F(ModelIndexTest, RefusesSingleFilesAndSaysHowToConvertThem) {
  folder.write("v1-5-pruned.safetensors", "");
  EXPECT_THAT(refused(), AllOf(HasSubstr("v1-5-pruned.safetensors: a checkpoint in a single file"),
                               HasSubstr("v1-5-pruned.safetensors').save_pretrained('v1-5-pruned')")));
}

}  // namespace
}  // namespace roundtrip::model
