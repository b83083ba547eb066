// Words offered to the shell at the end of a line, with the program's own configs.
#include "hydra/launch/completion.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "support/temporary_folder.h"

namespace roundtrip::hydra {
namespace {

const std::vector<KeyInfo> kKeys = {{"eps_at", "one of [t, t-1]", "", "", {"t", "t-1"}},
                                    {"save.trajectories", "bool", "", "", {"true", "false"}},
                                    {"metrics", "list of one of [mse, psnr]", "", "", {"mse", "psnr"}},
                                    {"dataset.path", "path", "", "", {}, true}};

using Words = std::vector<std::string>;

Words completed(const std::string& line) {
  return complete("roundtrip " + line, kKeys, {"plan", "list"}, {{"--resume", Takes::kOptionalWord, true}});
}

bool holds(const Words& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

TEST(Completion, GroupsKeysAndSections) {
  EXPECT_EQ(completed("metho"), (Words{"method.", "method="}));
  EXPECT_EQ(completed("ste"), Words{"steps="});
  EXPECT_EQ(completed("save.t"), Words{"save.trajectories="});
  EXPECT_TRUE(holds(completed(""), "plan"));
  EXPECT_FALSE(holds(completed("plan "), "plan"));
  EXPECT_EQ(completed("plan ste"), Words{"steps="});
  EXPECT_EQ(completed("+metho"), Words{"+method="});
  EXPECT_TRUE(holds(completed("~metho"), "~method"));
  EXPECT_EQ(completed("hydra.run."), Words{"hydra.run.dir="});
  EXPECT_EQ(completed("nosuch"), Words{});
}

TEST(Completion, OptionsAndValues) {
  EXPECT_EQ(completed("method=dd"), Words{"method=ddim"});
  EXPECT_TRUE(holds(completed("-m method=ddim,f"), "method=ddim,forward_noise"));
  EXPECT_EQ(completed("eps_at="), (Words{"eps_at=t", "eps_at=t-1"}));
  EXPECT_EQ(completed("save.trajectories=t"), Words{"save.trajectories=true"});
  EXPECT_EQ(completed("metrics="), (Words{"metrics=[mse", "metrics=[psnr"}));
  EXPECT_EQ(completed("metrics=p"), Words{"metrics=[psnr"});
  EXPECT_EQ(completed("metrics=[mse,p"), Words{"metrics=[mse,psnr"});
}

TEST(Completion, FlagsAndTheirWords) {
  EXPECT_EQ(completed("--conf"), (Words{"--config-dir", "--config-name", "--config-path"}));
  EXPECT_EQ(completed("--cfg "), (Words{"all", "hydra", "job"}));
  EXPECT_EQ(completed("--info de"), (Words{"defaults", "defaults-tree"}));
  EXPECT_EQ(completed("--re"), (Words{"--resolve", "--resume"}));
}

TEST(Completion, FilesAndFolders) {
  const testing::TemporaryFolder folder;
  folder.write("photos/a.png", "");
  const std::string place = folder.path().string();
  EXPECT_EQ(completed("dataset.path=" + place + "/ph"), Words{"dataset.path=" + place + "/photos/"});
  EXPECT_EQ(completed("--resume " + place + "/ph"), Words{place + "/photos/"});
  EXPECT_EQ(completed("-cd " + place + "/ph"), Words{place + "/photos/"});
}

TEST(Completion, ALineThatDoesNotComposeIsCompletedAllTheSame) {
  EXPECT_EQ(completed("method=nosuch guidence=3 [ ste"), Words{"steps="});
  EXPECT_EQ(completed("-cd /no/such/folder ste"), Words{"steps="});
}

}  // namespace
}  // namespace roundtrip::hydra
