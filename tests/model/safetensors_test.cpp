#include "model/safetensors.h"

#include <cstdint>
#include <cstring>
#include <random>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "support/error_of.h"
#include "support/safetensors_bytes.h"
#include "support/temporary_folder.h"

namespace roundtrip::model {
namespace {

using roundtrip::testing::error_of;
using roundtrip::testing::file_bytes;
using roundtrip::testing::length_bytes;
using roundtrip::testing::TemporaryFolder;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;

template <typename T>
std::string bytes_of(std::initializer_list<T> values) {
  return std::string(reinterpret_cast<const char*>(values.begin()), values.size() * sizeof(T));
}

class SafetensorsTest : public ::testing::Test {
 protected:
  SafetensorsFile open(std::string_view bytes) const {
    return SafetensorsFile::open(folder.write("model.safetensors", bytes));
  }
  SafetensorsFile open(std::string_view header, std::string_view data) const { return open(file_bytes(header, data)); }

  std::string open_error(std::string_view bytes) const {
    return error_of([&] { open(bytes); });
  }
  // A file of one tensor `w` whose description is `entry`, with `n` bytes of data.
  std::string entry_error(std::string_view entry, size_t n = 8) const {
    const std::string error = open_error(file_bytes(fmt::format(R"({{"w":{}}})", entry), std::string(n, '\0')));
    EXPECT_THAT(error, HasSubstr("model.safetensors: tensor 'w' ")) << entry;
    return error;
  }

  TemporaryFolder folder;
};

TEST_F(SafetensorsTest, ReadsEveryDtype) {
  const std::string header = R"({"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]},
      "b":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}, "c":{"dtype":"F16","shape":[1],"data_offsets":[16,18]},
      "d":{"dtype":"BF16","shape":[1],"data_offsets":[18,20]}, "e":{"dtype":"I32","shape":[1],"data_offsets":[20,24]},
      "f":{"dtype":"I64","shape":[1],"data_offsets":[24,32]}, "g":{"dtype":"I16","shape":[1],"data_offsets":[32,34]},
      "h":{"dtype":"I8","shape":[1],"data_offsets":[34,35]}, "i":{"dtype":"U8","shape":[1],"data_offsets":[35,36]},
      "j":{"dtype":"BOOL","shape":[3],"data_offsets":[36,39]}})";
  const std::string data = bytes_of<double>({0.1}) + bytes_of<float>({1.5f, -2}) +
                           bytes_of<uint16_t>({0x3C00, 0x4000}) + bytes_of<int32_t>({-5}) +
                           bytes_of<int64_t>({int64_t{1} << 40}) + bytes_of<int16_t>({-300}) + bytes_of<int8_t>({-7}) +
                           bytes_of<uint8_t>({200, 0, 1, 7});
  const SafetensorsFile file = open(header, data);
  EXPECT_EQ(file.tensor("a").item<double>(), 0.1);
  EXPECT_EQ(file.tensor("b")[1].item<float>(), -2);
  EXPECT_EQ(file.tensor("c").item<float>(), 1);
  EXPECT_EQ(file.tensor("d").item<float>(), 2);
  EXPECT_EQ(file.tensor("e").item<int64_t>(), -5);
  EXPECT_EQ(file.tensor("f").item<int64_t>(), int64_t{1} << 40);
  EXPECT_EQ(file.tensor("g").item<int64_t>(), -300);
  EXPECT_EQ(file.tensor("h").item<int64_t>(), -7);
  EXPECT_EQ(file.tensor("i").item<int64_t>(), 200);
  EXPECT_EQ(file.tensor("j").scalar_type(), at::kBool);
  EXPECT_EQ(file.tensor("j").sum().item<int64_t>(), 2);
}

TEST_F(SafetensorsTest, ReadsScalarsEmptyTensorsAndMetadata) {
  const SafetensorsFile file = open(
      R"({"s":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"none":{"dtype":"F32","shape":[0,3],"data_offsets":[4,4]},
               "__metadata__":{"format":"pt"}}   )",
      bytes_of<float>({3}));
  EXPECT_EQ(file.tensor("s").dim(), 0);
  EXPECT_EQ(file.tensor("s").item<float>(), 3);
  EXPECT_EQ(file.tensor("none").sizes(), (std::vector<int64_t>{0, 3}));
  EXPECT_EQ(file.metadata().at("format"), "pt");
  EXPECT_EQ(file.entries().size(), 2u);
}

TEST_F(SafetensorsTest, ATensorIsAViewThatOutlivesItsFile) {
  at::Tensor first, second;
  {
    // A header of 56 bytes: the data is aligned.
    const SafetensorsFile file =
        open(R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}  )", bytes_of<float>({1, 2}));
    first = file.tensor("w");
    second = file.tensor("w");
  }
  EXPECT_EQ(first.data_ptr(), second.data_ptr());
  EXPECT_EQ(first[1].item<float>(), 2);
}

TEST_F(SafetensorsTest, CopiesMisalignedData) {
  const SafetensorsFile file =
      open(R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}} )", bytes_of<float>({1, 2}));
  const at::Tensor tensor = file.tensor("w");
  EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor.data_ptr()) % 4, 0u);
  EXPECT_EQ(tensor[1].item<float>(), 2);
}

TEST_F(SafetensorsTest, NamesTheNearestTensor) {
  const SafetensorsFile file = open(R"({"conv_in.weight":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", "x");
  EXPECT_THAT(error_of([&] { file.tensor("conv_in.wieght"); }),
              EndsWith("no tensor 'conv_in.wieght'. Did you mean 'conv_in.weight'?"));
}

TEST_F(SafetensorsTest, RefusesHeadersThatDoNotFit) {
  EXPECT_THAT(open_error(""), HasSubstr("0 bytes long; expected a safetensors file"));
  EXPECT_THAT(open_error("1234567"), HasSubstr("7 bytes long"));
  EXPECT_THAT(open_error(length_bytes(100) + "{}"), HasSubstr("claims 100 bytes; expected at most the 2 that follow"));
  EXPECT_THAT(open_error(length_bytes(100'000'001) + "{}"), HasSubstr("expected at most 100000000"));
  EXPECT_THAT(open_error(length_bytes(~uint64_t{0}) + "{}"), HasSubstr("claims 18446744073709551615 bytes"));
  EXPECT_THAT(error_of([&] { SafetensorsFile::open(folder.path() / "absent.safetensors"); }),
              HasSubstr("absent.safetensors: cannot be opened (No such file or directory)"));
  EXPECT_THAT(error_of([&] { SafetensorsFile::open(folder.path()); }), HasSubstr("not a file"));
}

TEST_F(SafetensorsTest, RefusesHeadersThatAreNotAJsonObject) {
  EXPECT_THAT(open_error(file_bytes("", "")), HasSubstr("not a JSON object"));
  EXPECT_THAT(open_error(file_bytes(" {}", "")), HasSubstr("expected '{' as its first byte"));
  EXPECT_THAT(open_error(file_bytes("[]", "")), HasSubstr("not a JSON object"));
  EXPECT_THAT(open_error(file_bytes(R"({"w":)", "")), HasSubstr("not valid JSON"));
  EXPECT_THAT(open_error(file_bytes("{\"\xff\":1}", "")), HasSubstr("not valid JSON"));
  EXPECT_THAT(open_error(file_bytes(fmt::format(R"({{"w":{})", std::string(100000, '[')), "")),
              HasSubstr("nested too deeply"));
  EXPECT_THAT(open_error(file_bytes(R"({"__metadata__":[]})", "")), HasSubstr("__metadata__ is not an object"));
  EXPECT_THAT(open_error(file_bytes(R"({"__metadata__":{"a":1}})", "")), HasSubstr("__metadata__ 'a' is 1"));
}

TEST_F(SafetensorsTest, RefusesANameTwice) {
  constexpr std::string_view entry = R"("w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]})";
  EXPECT_THAT(open_error(file_bytes(fmt::format("{{{0},{0}}}", entry), std::string(8, '\0'))),
              HasSubstr("'w' stands twice"));
}

TEST_F(SafetensorsTest, RefusesMalformedEntries) {
  EXPECT_THAT(entry_error("7"), HasSubstr("is 7; expected an object"));
  EXPECT_THAT(entry_error("{}"), HasSubstr("has no dtype"));
  EXPECT_THAT(entry_error(R"({"dtype":"F32","shape":[2]})"), HasSubstr("has no data_offsets"));
  EXPECT_THAT(entry_error(R"({"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1})"), HasSubstr("has a key 'x'"));
  EXPECT_THAT(entry_error(R"({"dtype":"F99","shape":[2],"data_offsets":[0,8]})"),
              HasSubstr("dtype \"F99\"; expected F64, F32"));
  EXPECT_THAT(entry_error(R"({"dtype":3,"shape":[2],"data_offsets":[0,8]})"), HasSubstr("dtype 3"));
}

TEST_F(SafetensorsTest, RefusesMalformedShapes) {
  for (const std::string_view shape : {"[-2]", "[2.0]", "[\"2\"]", "[null]", "2", "{}", "[[2]]", "[1e400]"}) {
    if (shape == "[1e400]") {
      EXPECT_THAT(open_error(file_bytes(R"({"w":{"shape":[1e400]}})", "")), HasSubstr("not valid JSON"));
      continue;
    }
    EXPECT_THAT(entry_error(fmt::format(R"({{"dtype":"F32","shape":{},"data_offsets":[0,8]}})", shape)),
                HasSubstr("a list of whole numbers"));
  }
  EXPECT_THAT(entry_error(R"({"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]})", 4),
              HasSubstr("has 17 dimensions; expected at most 16"));
  // Each product wraps around 2^64 to what the offsets claim, or would overflow the strides of an empty
  // tensor.
  for (const std::string_view shape : {"[4611686018427387904]", "[4294967296,4294967296]", "[18446744073709551615]",
                                       "[4294967296,4294967296,0]", "[2305843009213693954]"}) {
    for (const std::string_view offsets : {"[0,8]", "[0,0]"}) {
      EXPECT_THAT(entry_error(fmt::format(R"({{"dtype":"F32","shape":{},"data_offsets":{}}})", shape, offsets)),
                  HasSubstr("fewer than 2^63 bytes"));
    }
  }
}

TEST_F(SafetensorsTest, RefusesOffsetsThatLeaveTheFile) {
  for (const std::string_view offsets :
       {"[0,16]", "[8,0]", "[18446744073709551608,18446744073709551615]", "[18446744073709551615,7]"}) {
    EXPECT_THAT(entry_error(fmt::format(R"({{"dtype":"F32","shape":[2],"data_offsets":{}}})", offsets)),
                HasSubstr("an interval within the 8 data bytes of the file"));
  }
  for (const std::string_view offsets :
       {"[0]", "[0,8,9]", "[-8,8]", "[0,8.0]", "8", "[\"0\",\"8\"]", "[0,18446744073709551616]"}) {
    EXPECT_THAT(entry_error(fmt::format(R"({{"dtype":"F32","shape":[2],"data_offsets":{}}})", offsets)),
                HasSubstr("two whole numbers"));
  }
  EXPECT_THAT(entry_error(R"({"dtype":"F32","shape":[2],"data_offsets":[0,8]})", 7),
              HasSubstr("within the 7 data bytes"));
}

TEST_F(SafetensorsTest, RefusesOffsetsThatDisagreeWithTheShape) {
  EXPECT_THAT(entry_error(R"({"dtype":"F32","shape":[3],"data_offsets":[0,8]})"),
              HasSubstr("has 8 bytes of data; expected 12 for F32 [3]"));
  EXPECT_THAT(entry_error(R"({"dtype":"F16","shape":[2],"data_offsets":[0,8]})"), HasSubstr("expected 4 for F16 [2]"));
}

TEST_F(SafetensorsTest, RefusesOverlapsHolesAndLeftovers) {
  const auto two = [&](std::string_view first, std::string_view second) {
    return open_error(file_bytes(fmt::format(R"({{"a":{{"dtype":"F32","shape":[1],"data_offsets":{}}},
                                                  "b":{{"dtype":"F32","shape":[1],"data_offsets":{}}}}})",
                                             first, second),
                                 std::string(12, '\0')));
  };
  EXPECT_THAT(two("[0,4]", "[2,6]"),
              HasSubstr("tensor 'b' starts at byte 2; expected 4, where the tensor before it ends "
                        "(tensors overlap)"));
  EXPECT_THAT(two("[0,4]", "[0,4]"), HasSubstr("overlap"));
  EXPECT_THAT(two("[0,4]", "[8,12]"), AllOf(HasSubstr("tensor 'b'"), HasSubstr("the data has a hole")));
  EXPECT_THAT(two("[8,12]", "[4,8]"), AllOf(HasSubstr("tensor 'b' starts at byte 4"), HasSubstr("hole")));
  EXPECT_THAT(two("[0,4]", "[4,8]"), HasSubstr("4 bytes follow the last tensor; expected none"));
}

TEST_F(SafetensorsTest, MessagesAreOneLineWhateverANameHolds) {
  const std::string name = fmt::format(R"(a\n\u0000\u001b[31m{})", std::string(5000, 'x'));
  const std::string error = open_error(file_bytes(fmt::format(R"({{"{}":1}})", name), ""));
  EXPECT_THAT(error, HasSubstr("tensor 'a\\n\\u0000\\u001b[31mxxx"));
  EXPECT_LT(error.size(), 300u);
}

// Damages a valid file at seeded places: it either opens with all its tensors inside the file, or throws an
// Error.
TEST_F(SafetensorsTest, SurvivesDamage) {
  const std::string header = R"({"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},
      "b":{"dtype":"BF16","shape":[4],"data_offsets":[24,32]},"__metadata__":{"format":"pt"},
      "c":{"dtype":"BOOL","shape":[],"data_offsets":[32,33]},"d":{"dtype":"I64","shape":[1,0,2],"data_offsets":[33,33]}})";
  const std::string whole = file_bytes(header, std::string(33, '\x5A'));
  std::mt19937 random(2024);
  int refused = 0;
  for (int k = 0; k < 2000; ++k) {
    std::string damaged = whole;
    const size_t place = random() % whole.size();
    if (k % 4 == 0) {
      damaged.resize(place);
    } else {
      damaged[place] = static_cast<char>(k % 4 == 1 ? random() : damaged[place] ^ (1 << random() % 8));
    }
    try {
      const SafetensorsFile file = open(damaged);
      for (const auto& [name, entry] : file.entries()) file.tensor(name).to(at::kDouble).sum().item<double>();
    } catch (const Error& error) {
      ++refused;
      EXPECT_EQ(error.kind(), ErrorKind::kInput) << error.what();
      EXPECT_EQ(error.message().find_first_of(std::string("\n\0", 2)), std::string::npos) << error.what();
    }
  }
  EXPECT_GT(refused, 1000);
  EXPECT_LT(refused, 2000);  // damage to data bytes alone is no error
}

}  // namespace
}  // namespace roundtrip::model
