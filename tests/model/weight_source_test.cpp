// Which files a WeightSource takes from a component's folder, and what it says of tensors.
#include <filesystem>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/safetensors.h"
#include "support/error_of.h"
#include "support/safetensors_bytes.h"
#include "support/temporary_folder.h"

namespace roundtrip::model {
namespace {

using roundtrip::testing::error_of;
using roundtrip::testing::file_bytes;
using roundtrip::testing::TemporaryFolder;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::string_view kOne = R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})";
constexpr std::string_view kOther = R"({"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})";

class WeightSourceTest : public ::testing::Test {
 protected:
  std::string open_error() const {
    return error_of([&] { WeightSource::open(folder.path()); });
  }
  int value_of_a() const { return WeightSource::open(folder.path()).tensor("a").item<int>(); }

  TemporaryFolder folder;
};

TEST_F(WeightSourceTest, PrefersFullPrecisionAndTakesWhatIsThere) {
  folder.write("diffusion_pytorch_model.bf16.safetensors", file_bytes(kOne, "\x01"));
  EXPECT_EQ(value_of_a(), 1);
  folder.write("model.fp16.safetensors", file_bytes(kOne, "\x02"));
  EXPECT_EQ(value_of_a(), 2);
  folder.write("model.safetensors", file_bytes(kOne, "\x03"));
  EXPECT_EQ(value_of_a(), 3);
  folder.write("diffusion_pytorch_model.safetensors", file_bytes(kOne, "\x04"));
  EXPECT_EQ(value_of_a(), 4);
}

TEST_F(WeightSourceTest, OpensAFileByItsPath) {
  EXPECT_TRUE(WeightSource::open(folder.write("lpips.safetensors", file_bytes(kOne, "\x01"))).contains("a"));
}

TEST_F(WeightSourceTest, ReadsShards) {
  folder.write("s1.safetensors", file_bytes(kOne, "\x05"));
  folder.write("s2.safetensors", file_bytes(kOther, "\x06"));
  for (const std::string_view name :
       {"diffusion_pytorch_model.safetensors.index.json", "model.safetensors.index.fp16.json"}) {
    const auto index =
        folder.write(name, R"({"metadata":{},"weight_map":{"a":"s1.safetensors","b":"s2.safetensors"}})");
    WeightSource source = WeightSource::open(folder.path());
    EXPECT_EQ(source.tensor("a").item<int>(), 5);
    EXPECT_EQ(source.tensor("b").item<int>(), 6);
    EXPECT_THAT(source.names(), ElementsAre("a", "b"));
    EXPECT_THAT(source.files(), ElementsAre(folder.path() / "s1.safetensors", folder.path() / "s2.safetensors"));
    std::filesystem::remove(index);
  }
}

TEST_F(WeightSourceTest, RefusesIndexesThatDoNotFitTheirShards) {
  folder.write("s1.safetensors", file_bytes(kOne, "\x05"));
  const auto with_map = [&](std::string_view map) {
    folder.write("model.safetensors.index.json", fmt::format(R"({{"weight_map":{}}})", map));
    return open_error();
  };
  EXPECT_THAT(with_map(R"({"z":"s1.safetensors"})"), HasSubstr("s1.safetensors: no tensor 'z'; expected it here by"));
  EXPECT_THAT(with_map(R"({"a":"s9.safetensors"})"), HasSubstr("s9.safetensors: cannot be opened"));
  for (const std::string_view shard : {"\"../s1.safetensors\"", "\"/s1.safetensors\"", "\"\"", "\"..\"", "1"}) {
    EXPECT_THAT(with_map(fmt::format(R"({{"a":{}}})", shard)), HasSubstr("tensor 'a' lies in ")) << shard;
  }
  EXPECT_THAT(with_map("{}"), HasSubstr("no weight_map"));
  EXPECT_THAT(with_map(R"({"a":"s1.safetensors","a":"s1.safetensors"})"), HasSubstr("'a' stands twice"));
}

TEST_F(WeightSourceTest, RefusesPickledWeightsAndSaysWhatToDo) {
  EXPECT_THAT(open_error(), HasSubstr("no weights; expected diffusion_pytorch_model.safetensors or model.safetensors"));
  folder.write("diffusion_pytorch_model.bin", "PK");
  EXPECT_THAT(open_error(), AllOf(HasSubstr("diffusion_pytorch_model.bin: pickled weights"),
                                  HasSubstr("DiffusionPipeline as P; P.from_pretrained(")));
  folder.write("my_model.safetensors", file_bytes(kOne, "\x01"));
  EXPECT_THAT(open_error(), HasSubstr("my_model.safetensors: not a name that weights go by"));
}

TEST_F(WeightSourceTest, TakesAnotherVariantOnlyWhereItIsAlone) {
  folder.write("diffusion_pytorch_model.non_ema.safetensors", file_bytes(kOne, "\x07"));
  EXPECT_EQ(value_of_a(), 7);
  folder.write("diffusion_pytorch_model.ema.safetensors", file_bytes(kOne, "\x08"));
  EXPECT_THAT(open_error(), HasSubstr("several variants: diffusion_pytorch_model.ema.safetensors, "
                                      "diffusion_pytorch_model.non_ema.safetensors"));
}

TEST_F(WeightSourceTest, NamesDownloadsThatFetchedSomethingElse) {
  folder.write("model.safetensors", "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 3438167540\n");
  EXPECT_THAT(open_error(), AllOf(HasSubstr("model.safetensors: a Git LFS pointer"), HasSubstr("git lfs pull")));
  folder.write("model.safetensors", "\n <!DOCTYPE HTML><html><title>Log in</title></html>");
  EXPECT_THAT(open_error(), HasSubstr("model.safetensors: a web page"));
}

TEST_F(WeightSourceTest, RecordsWhatWasNotRead) {
  folder.write("model.safetensors", file_bytes(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},
      "b":{"dtype":"U8","shape":[1],"data_offsets":[1,2]},"position_ids":{"dtype":"U8","shape":[0],"data_offsets":[2,2]}})",
                                               "xy"));
  WeightSource source = WeightSource::open(folder.path());
  EXPECT_THAT(source.unread(), ElementsAre("a", "b", "position_ids"));
  source.tensor("b");
  source.ignore("position_ids");
  source.ignore("not there");
  EXPECT_THAT(source.unread(), ElementsAre("a"));
  source.tensor("a", {1});
  EXPECT_THAT(source.unread(), IsEmpty());
}

TEST_F(WeightSourceTest, NamesAMissingOrMisshapenTensor) {
  folder.write("model.safetensors",
               file_bytes(R"({"conv.weight":{"dtype":"U8","shape":[2,1],"data_offsets":[0,2]}})", "xy"));
  WeightSource source = WeightSource::open(folder.path());
  EXPECT_EQ(source.where(), (folder.path() / "model.safetensors").string());
  EXPECT_EQ(error_of([&] { source.tensor("conv.weigth"); }),
            source.where() + ": no tensor 'conv.weigth'. Did you mean 'conv.weight'?");
  EXPECT_EQ(error_of([&] { source.tensor("conv.weight", {1, 2}); }),
            source.where() + ": tensor 'conv.weight' has shape [2, 1]; expected [1, 2]");
}

TEST(WeightSourceGolden, ReadsAModelThatDiffusersWrote) {
  const WeightSource unet = WeightSource::open(ROUNDTRIP_SOURCE_DIR "/tests/golden/models/tiny-sd/unet");
  EXPECT_THAT(unet.where(), EndsWith("unet/diffusion_pytorch_model.safetensors"));
  EXPECT_TRUE(unet.contains("conv_in.weight"));
}

}  // namespace
}  // namespace roundtrip::model
