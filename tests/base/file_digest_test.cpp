// Digests that are remembered, and files that change behind them.
#include "base/file_digest.h"

#include <fstream>

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/hash.h"
#include "support/scratch_folder.h"

namespace roundtrip {
namespace {

int64_t bytes_read() {
  std::ifstream io("/proc/self/io");
  std::string key;
  int64_t value = 0;
  io >> key >> value;
  return value;
}

TEST(FileDigest, ReadsAFileOnce) {
  const ScratchFolder folder;
  folder.write("weights", std::string(1 << 20, 'w'));
  const std::filesystem::path path = folder.path() / "weights";
  const int64_t start = bytes_read();
  const std::string digest = remembered_sha256_of_file(path);
  EXPECT_EQ(digest, sha256_hex(std::string(1 << 20, 'w')));
  EXPECT_GE(bytes_read() - start, 1 << 20);
  const int64_t once = bytes_read();
  EXPECT_EQ(remembered_sha256_of_file(path), digest);
  EXPECT_LT(bytes_read() - once, 1 << 16);
}

TEST(FileDigest, ReadsAChangedFileAgain) {
  const ScratchFolder folder;
  folder.write("weights", "one");
  EXPECT_EQ(remembered_sha256_of_file(folder.path() / "weights"), sha256_hex("one"));
  folder.write("weights", "three");
  EXPECT_EQ(remembered_sha256_of_file(folder.path() / "weights"), sha256_hex("three"));
}

TEST(FileDigest, AFileThatIsGoneIsAnError) { EXPECT_THROW(remembered_sha256_of_file("no/such/file"), Error); }

}  // namespace
}  // namespace roundtrip
