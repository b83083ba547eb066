// What model.path may name, and what is said of the rest.
#include "model/model_path.h"

#include <cstdlib>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/error_of.h"
#include "support/temporary_folder.h"

namespace roundtrip::model {
namespace {

using roundtrip::testing::error_of;
using ::testing::AllOf;
using ::testing::HasSubstr;

// A cache as huggingface_hub lays it out, with one model in two revisions.
class HubCache : public ::testing::Test {
 protected:
  HubCache() {
    cache.write("models--org--net/refs/main", "abc123\n");
    cache.write("models--org--net/snapshots/abc123/model_index.json", "{}");
    cache.write("models--org--net/snapshots/def456/model_index.json", "{}");
    setenv("HF_HUB_CACHE", cache.path().c_str(), 1);
  }
  ~HubCache() override { unsetenv("HF_HUB_CACHE"); }

  static std::string refused(const char* path) {
    return error_of([&] { find_model(path); });
  }

  testing::TemporaryFolder cache;
};

TEST_F(HubCache, HoldsModelsByNameAndRevision) {
  const ModelPath found = find_model("org/net");
  EXPECT_EQ(found.folder, cache.path() / "models--org--net/snapshots/abc123");
  EXPECT_EQ(found.name, "net");
  EXPECT_EQ(find_model("org/net@main").folder, found.folder);
  EXPECT_EQ(find_model("org/net@def456").folder, cache.path() / "models--org--net/snapshots/def456");
}

TEST_F(HubCache, IsFoundWhereTheHubsOwnVariablesPoint) {
  unsetenv("HF_HUB_CACHE");
  testing::TemporaryFolder home;
  home.write("hub/models--a--b/refs/main", "c");
  home.write("hub/models--a--b/snapshots/c/x", "");
  setenv("HF_HOME", home.path().c_str(), 1);
  EXPECT_EQ(find_model("a/b").name, "b");
  unsetenv("HF_HOME");
}

TEST_F(HubCache, SaysWhatItLacks) {
  EXPECT_THAT(refused("org/other"),
              AllOf(HasSubstr("org/other: no such folder, and not in the cache "), HasSubstr("unet/")));
  EXPECT_THAT(refused("org/net@fp16"), HasSubstr("revision 'fp16' is not in the cache"));
}

TEST_F(HubCache, IsNotLeft) {
  for (const char* path : {"../net", "org/..", "org/net@../../x", "org/net@", "a/b/c", "/org/net", "org/", ""}) {
    EXPECT_THAT(refused(path), HasSubstr("no such folder; expected")) << path;
  }
}

TEST(ModelPath, PrefersAFolder) {
  testing::TemporaryFolder folder;
  EXPECT_EQ(find_model(folder.path()).folder, folder.path());
  EXPECT_EQ(find_model(folder.path() / "").name, folder.path().filename().string());
}

TEST(ModelPath, RefusesFiles) {
  testing::TemporaryFolder folder;
  const std::string checkpoint = folder.write("sdxl.ckpt", "").string();
  EXPECT_THAT(error_of([&] { find_model(checkpoint); }), AllOf(HasSubstr("sdxl.ckpt: a checkpoint in a single file"),
                                                               HasSubstr("from_single_file('" + checkpoint)));
  const std::string other = folder.write("notes.txt", "").string();
  EXPECT_THAT(error_of([&] { find_model(other); }), HasSubstr("notes.txt: not a folder"));
}

}  // namespace
}  // namespace roundtrip::model
