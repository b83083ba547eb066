// ${git:sha} on repositories written by hand, file by file.
#include "hydra/interpolation/git_commit.h"

#include <gtest/gtest.h>

#include "support/temporary_folder.h"

namespace roundtrip::hydra {
namespace {

const std::string kCommit = "0123456789abcdef0123456789abcdef01234567";
const std::string kOther = "89abcdef0123456789abcdef0123456789abcdef";

TEST(GitCommit, OfABranchFromAFolderInside) {
  const testing::TemporaryFolder folder;
  folder.write(".git/HEAD", "ref: refs/heads/main\n");
  folder.write(".git/refs/heads/main", kCommit + "\n");
  folder.write("a/b/file", "");
  EXPECT_EQ(checked_out_commit(folder.path() / "a/b"), kCommit);
}

TEST(GitCommit, Detached) {
  const testing::TemporaryFolder folder;
  folder.write(".git/HEAD", kCommit + "\n");
  EXPECT_EQ(checked_out_commit(folder.path()), kCommit);
}

TEST(GitCommit, ALooseReferenceBeforeAPackedOne) {
  const testing::TemporaryFolder folder;
  folder.write(".git/HEAD", "ref: refs/heads/main\n");
  folder.write(".git/packed-refs", "# pack-refs with: peeled fully-peeled sorted\n" + kOther + " refs/heads/main2\n" +
                                       kCommit + " refs/heads/main\n^" + kOther + "\n");
  EXPECT_EQ(checked_out_commit(folder.path()), kCommit);
  folder.write(".git/refs/heads/main", kOther + "\n");
  EXPECT_EQ(checked_out_commit(folder.path()), kOther);
}

TEST(GitCommit, OfAFurtherWorktree) {
  const testing::TemporaryFolder folder;
  folder.write("main/.git/HEAD", "ref: refs/heads/main\n");
  folder.write("main/.git/refs/heads/main", kOther + "\n");
  folder.write("main/.git/refs/heads/side", kCommit + "\n");
  folder.write("main/.git/worktrees/side/HEAD", "ref: refs/heads/side\n");
  folder.write("main/.git/worktrees/side/commondir", "../..\n");
  folder.write("side/.git", "gitdir: " + (folder.path() / "main/.git/worktrees/side").string() + "\n");
  EXPECT_EQ(checked_out_commit(folder.path() / "side"), kCommit);
}

TEST(GitCommit, NoneWhereThereIsNone) {
  const testing::TemporaryFolder folder;
  folder.write(".git/HEAD", "ref: refs/heads/unborn\n");
  EXPECT_EQ(checked_out_commit(folder.path()), std::nullopt);
  folder.write(".git/HEAD", "ref: HEAD\n");  // a circle
  EXPECT_EQ(checked_out_commit(folder.path()), std::nullopt);
  folder.write(".git/HEAD", "nothing that git writes\n");
  EXPECT_EQ(checked_out_commit(folder.path()), std::nullopt);
}

}  // namespace
}  // namespace roundtrip::hydra
