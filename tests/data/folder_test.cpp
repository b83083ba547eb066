#include <filesystem>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/hash.h"
#include "data/dataset.h"
#include "data/images.h"
#include "support/scratch_folder.h"

namespace roundtrip::data {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;

class FolderTest : public testing::Test {
 protected:
  FolderTest() {
    options_.name = "folder";
    options_.path = folder_.path();
  }

  void write_images(const std::vector<std::string>& names) {
    for (const std::string& name : names) folder_.write(name, png());
  }
  void write_metadata(const std::string& lines) { folder_.write("metadata.jsonl", lines); }

  std::unique_ptr<Dataset> open() const { return open_dataset(options_); }
  std::string refusal(ErrorKind kind = ErrorKind::kInput) const {
    return error_of([this] { open(); }, kind);
  }

  ScratchFolder folder_;
  DatasetOptions options_;
};

TEST_F(FolderTest, IsListed) { EXPECT_THAT(dataset_names(), testing::Contains("folder")); }

TEST_F(FolderTest, OrdersByPathByteByByte) {
  write_images({"b.png", "a/z.png", "B.png", "a.png", "ä.png", "a/10.png", "a/9.png"});
  EXPECT_THAT(open()->ids(), ElementsAre("B", "a", "a/10", "a/9", "a/z", "b", "ä"));
}

TEST_F(FolderTest, ReadsASampleWithAllThatIsKnown) {
  write_images({"sub/x.png"});
  options_.prompt = "a photo";
  const Sample sample = open()->read(0);
  EXPECT_EQ(sample.id, "sub/x");
  EXPECT_EQ(sample.pixels.height, 4);
  EXPECT_EQ(sample.pixels.width, 5);
  EXPECT_EQ(sample.pixels.rgb, pattern(4, 5).rgb);
  EXPECT_EQ(sample.prompt, "a photo");
  EXPECT_TRUE(open()->edits(0).empty());
  EXPECT_EQ(open()->digest(0).size(), 64u);
  EXPECT_TRUE(sample.notes.empty());
}

TEST_F(FolderTest, DigestsChangeWithTheFileAndWithThePrompt) {
  write_images({"x.png", "y.png"});
  options_.prompt = "a photo";
  const std::string digest = open()->digest(0);
  EXPECT_EQ(open()->digest(1), digest);  // equal bytes, equal prompts
  options_.prompt = "a painting";
  EXPECT_NE(open()->digest(0), digest);
  options_.prompt = "a photo";
  std::ofstream(folder_.path() / "x.png", std::ios::app) << ' ';
  EXPECT_NE(open()->digest(0), digest);
}

// Results refer to samples by digest. This one was computed outside of the program: SHA-256 over the digests of the
// files, the texts and the words as JSON, each with its length before it.
TEST_F(FolderTest, DigestsStayWhatTheyWere) {
  options_.path = ROUNDTRIP_SOURCE_DIR "/datasets/scenes";
  EXPECT_EQ(open()->digest(0), "40bc334108b11d325a2b510b040125d54e9f261e039842a968d37ff26a5988bc");
}

TEST_F(FolderTest, BringsSamplesToTheSize) {
  write_images({"x.png"});
  options_.size = {2, 3};
  const Sample sample = open()->read(0);
  EXPECT_EQ(sample.pixels.height, 2);
  EXPECT_EQ(sample.pixels.width, 3);
  EXPECT_EQ(sample.pixels.rgb.size(), 18u);
  EXPECT_THAT(sample.notes, ElementsAre(HasSubstr("shrunk")));
}

TEST_F(FolderTest, PassesOverHiddenAndOtherFiles) {
  write_images({"x.png", "._x.png", ".cache/y.png"});
  folder_.write("notes.txt", "no image");
  EXPECT_THAT(open()->ids(), ElementsAre("x"));
}

TEST_F(FolderTest, FollowsLinksToFilesOnly) {
  write_images({"x.png"});
  fs::create_symlink(folder_.path() / "x.png", folder_.path() / "y.png");
  fs::create_symlink(folder_.path(), folder_.path() / "loop");
  fs::create_symlink("nowhere.png", folder_.path() / "z.png");
  EXPECT_THAT(open()->ids(), ElementsAre("x", "y"));
}

TEST_F(FolderTest, TakesTextsFromMetadata) {
  write_images({"a.png", "b.png", "c.png", "d.png"});
  write_metadata(
      "\xEF\xBB\xBF{\"file_name\": \"b.png\", \"text\": \"a bus\", \"target_text\": \"a van\", \"n\": "
      "3}\r\n\n"
      "{\"file_name\": \"./a.png\", \"text\": null}\n"
      "{\"file_name\": \"c.png\", \"text\": \"\"}");
  options_.prompt = "a photo";
  const auto dataset = open();
  EXPECT_THAT(dataset->ids(), ElementsAre("a", "b", "c", "d"));
  EXPECT_EQ(dataset->prompt(0), "a photo");  // null is no text
  EXPECT_EQ(dataset->prompt(1), "a bus");
  EXPECT_EQ(dataset->prompt(2), "");         // an empty text is one
  EXPECT_EQ(dataset->prompt(3), "a photo");  // not named
  ASSERT_EQ(dataset->edits(1).size(), 1u);
  EXPECT_EQ(dataset->edits(1)[0].target_prompt, "a van");
}

TEST_F(FolderTest, TakesMetadataBelowRelativeToItsFolder) {
  write_images({"a.png", "s/a.png"});
  folder_.write("s/metadata.jsonl", R"({"file_name": "a.png", "text": "inner"})");
  EXPECT_EQ(open()->prompt(0), "");
  EXPECT_EQ(open()->prompt(1), "inner");
  write_metadata(R"({"file_name": "s/a.png", "text": "outer"})");
  EXPECT_THAT(refusal(),
              AllOf(HasSubstr("s/metadata.jsonl:1: 's/a.png' is named at "), EndsWith("metadata.jsonl:1 too")));
}

TEST_F(FolderTest, RefusesBadMetadataWithFileAndLine) {
  write_images({"a.png", "b.png"});
  folder_.write("c.gif", "GIF89a");
  const std::string good = "{\"file_name\": \"a.png\"}\n";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"{\"file_name\": \"aa.png\"}", "metadata.jsonl:2: file_name 'aa.png' does not exist. Did you mean 'a.png'?"},
      {"{\"file_name\": \"c.gif\"}", "metadata.jsonl:2: file_name 'c.gif' is not an image that is read"},
      {"{\"file_name\": \"a.png\"}", "metadata.jsonl:2: file_name 'a.png' repeats "},
      {"{\"file_name\": \"x/../a.png\"}", "metadata.jsonl:2: file_name 'a.png' repeats "},
      {"{\"file_name\": \"../a.png\"}", "metadata.jsonl:2: file_name is '../a.png'; expected a path below"},
      {"{\"file_name\": \"/etc/passwd\"}", "metadata.jsonl:2: file_name is '/etc/passwd'; expected a path below"},
      {"{\"file_name\": \"\"}", "metadata.jsonl:2: file_name is ''; expected a path below"},
      {"{\"file_name\": 3}", "metadata.jsonl:2: file_name is a number; expected a string"},
      {"{\"file_name\": \"b.png\", \"text\": [\"x\"]}", "metadata.jsonl:2: text is a array; expected a string"},
      {"{\"text\": \"x\"}", "metadata.jsonl:2: has no file_name"},
      {"[1]", "metadata.jsonl:2: is a JSON array"},
      {"{\"file_name\": \"b.png\"", "metadata.jsonl:2: not valid JSON"},
      {"file_name,text", "metadata.jsonl:2: not valid JSON"},
      {"{\"file_name\": \"b.png\", \"text\": \"\xFF\"}", "metadata.jsonl:2: not valid JSON"},
      {std::string(100000, '['), "metadata.jsonl:2: JSON is nested too deeply"},
  };
  for (const auto& [line, message] : cases) {
    write_metadata(good + line);
    EXPECT_THAT(refusal(), AllOf(HasSubstr(message), testing::Not(HasSubstr("\n")))) << line.substr(0, 60);
  }
}

TEST_F(FolderTest, RefusesTwoFilesOfOneId) {
  write_images({"a.png", "a.bmp"});
  EXPECT_THAT(refusal(), HasSubstr("'a.bmp' and 'a.png' are both sample 'a'"));
}

TEST_F(FolderTest, RefusesAFolderThatIsNone) {
  options_.path = folder_.path() / "nowhere";
  EXPECT_THAT(refusal(), AllOf(HasSubstr("dataset.path: '"), HasSubstr("nowhere' does not exist")));
  options_.path = folder_.write("file.png", png());
  EXPECT_THAT(refusal(), HasSubstr("file.png' is a file; expected a folder of images"));
  options_.path.clear();
  EXPECT_EQ(refusal(), "dataset.path: is empty; expected a folder of images");
}

TEST_F(FolderTest, RefusesAFolderWithoutImages) {
  EXPECT_THAT(refusal(), HasSubstr("no image among its 0 files; expected files named bmp, "));
  folder_.write("a.gif", "GIF89a");
  EXPECT_THAT(refusal(), HasSubstr("no image among its 1 files"));
}

TEST_F(FolderTest, RefusesAFolderThatCannotBeListed) {
  if (::geteuid() == 0) GTEST_SKIP() << "SKIPPED: root may list every folder";
  write_images({"a.png", "b/c.png"});
  fs::permissions(folder_.path() / "b", fs::perms::none);
  EXPECT_THAT(refusal(), HasSubstr("cannot be listed (Permission denied)"));
  fs::permissions(folder_.path() / "b", fs::perms::owner_all);
}

TEST_F(FolderTest, RefusesNamesThatTheResultsCannotHold) {
  write_images({"a.png", "\xFF.png"});
  EXPECT_THAT(refusal(), HasSubstr("a file name in it is not UTF-8"));
}

// One bad file fails by itself; those around it are read.
TEST_F(FolderTest, FailsABadSampleAlone) {
  write_images({"a.png", "d.png"});
  folder_.write("b.png", "");
  folder_.write("c.jpg", png().substr(0, 60));
  const auto dataset = open();
  EXPECT_THAT(dataset->ids(), ElementsAre("a", "b", "c", "d"));
  EXPECT_THAT(error_of([&] { dataset->read(1); }), EndsWith("b.png: is empty (0 bytes); expected an image"));
  EXPECT_THAT(error_of([&] { dataset->read(2); }), HasSubstr("c.jpg: is damaged or no image"));
  EXPECT_EQ(dataset->read(3).pixels.rgb, pattern(4, 5).rgb);
  fs::remove(folder_.path() / "a.png");
  EXPECT_THAT(error_of([&] { dataset->read(0); }), HasSubstr("a.png: no such file"));
}

TEST_F(FolderTest, SaysNothingOnTheStandardErrorAboutBadFiles) {
  std::string damaged = png(64, 64);
  damaged[damaged.size() / 2] ^= 0x55;
  folder_.write("a.png", damaged);
  folder_.write("b.png", "no image");
  folder_.write("c.bmp", encoded(as_mat(pattern(64, 64)), ".bmp").substr(0, 999));
  folder_.write("d.tif", encoded(as_mat(pattern(64, 64)), ".tif").substr(0, 999));
  folder_.write("e.ppm", "P6 100000 100000 255\n0");
  const auto dataset = open();
  testing::internal::CaptureStderr();
  for (size_t index = 0; index < 5; ++index) EXPECT_NE(error_of([&] { dataset->read(index); }), "no error");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST_F(FolderTest, TakesTheIdsInTheOrderGivenThenTheLimit) {
  write_images({"a.png", "b.png", "c.png"});
  options_.ids = {"c", "a"};
  EXPECT_THAT(open()->ids(), ElementsAre("c", "a"));
  EXPECT_EQ(open()->read(0).id, "c");
  options_.limit = 1;
  EXPECT_THAT(open()->ids(), ElementsAre("c"));
  options_.ids.clear();
  options_.limit = 2;
  EXPECT_THAT(open()->ids(), ElementsAre("a", "b"));
  options_.limit = 7;
  EXPECT_EQ(open()->ids().size(), 3u);
}

TEST_F(FolderTest, RefusesOptionsThatMakeNoSense) {
  write_images({"bus_01.png", "bus_02.png"});
  options_.ids = {"bus_1"};
  EXPECT_EQ(refusal(), "dataset.ids: no sample has the id 'bus_1'. Did you mean 'bus_01'?");
  options_.ids = {"bus_01", "bus_01"};
  EXPECT_EQ(refusal(), "dataset.ids: 'bus_01' is named twice");
  options_.ids.clear();
  options_.limit = 0;
  EXPECT_EQ(refusal(ErrorKind::kType), "dataset.limit: 0; expected at least 1");
  options_.limit.reset();
  options_.size = {32, 0};
  EXPECT_EQ(refusal(ErrorKind::kType), "dataset.size: [32, 0]; expected a height and a width of at least 1");
  options_.size = {32, 32};
  options_.resample = "bicubc";
  EXPECT_EQ(refusal(ErrorKind::kType),
            "dataset.resample: 'bicubc'; expected area, lanczos or bicubic. Did you mean 'bicubic'?");
  options_.name = "folders";
  EXPECT_THAT(refusal(), AllOf(HasSubstr("there is no dataset 'folders'"), HasSubstr("Did you mean 'folder'?")));
}

}  // namespace
}  // namespace roundtrip::data
