#include "base/hash.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace roundtrip {
namespace {

TEST(Sha256, MatchesThePublishedVectors) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Hasher, KeepsItsPartsApart) {
  const auto hash = [](std::string_view a, std::string_view b) { return Hasher().add(a).add(b).hex(); };
  EXPECT_NE(hash("ab", "c"), hash("a", "bc"));
  EXPECT_NE(Hasher().add(1.0).hex(), Hasher().add(int64_t{1}).hex());
}

TEST(Sha256, AFileThatIsNotThereIsAnInputError) {
  try {
    sha256_hex_of_file("no/such/file");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_EQ(error.message(), "no/such/file: cannot be opened");
  }
}

}  // namespace
}  // namespace roundtrip
