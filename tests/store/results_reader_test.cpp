// Files that are no results, or not ours to read: one line each, no crash.
#include "store/results_reader.h"

#include <array>
#include <cstring>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/example.h"
#include "store/hdf5.h"

namespace roundtrip::store {
namespace {

using example::error_of;
using example::Folder;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

std::filesystem::path finished_run(const Folder& folder) {
  RunStore store(folder / "run", example::layout(20));
  for (int64_t row = 0; row < 20; ++row) store.append(example::record(row));
  return store.finish();
}

std::string open_error(const std::filesystem::path& path) {
  return error_of([&] { ResultsReader reader(path); });
}

TEST(ResultsReader, RefusesAMissingFile) {
  const Folder folder;
  EXPECT_EQ(open_error(folder / "none.h5"),
            (folder / "none.h5").string() + ": cannot open as HDF5: No such file or directory");
}

TEST(ResultsReader, RefusesWhatIsNotHdf5) {
  const Folder folder;
  for (const std::string text : {"", "results", "\x89HDF\r\n\x1a\n"}) {
    example::write_bytes(folder / "text.h5", text);
    EXPECT_THAT(open_error(folder / "text.h5"), StartsWith((folder / "text.h5").string() + ": cannot open as HDF5"));
  }
}

TEST(ResultsReader, RefusesATruncatedFile) {
  const Folder folder;
  const std::string whole = example::bytes_of(finished_run(folder));
  for (const size_t size : {whole.size() - 1, whole.size() / 2, size_t{600}, size_t{100}}) {
    example::write_bytes(folder / "cut.h5", whole.substr(0, size));
    EXPECT_THAT(open_error(folder / "cut.h5"), HasSubstr("cut.h5: cannot open as HDF5")) << size;
  }
}

TEST(ResultsReader, RefusesHdf5WithoutTheTable) {
  const Folder folder;
  hdf5::File::create(folder / "other.h5").close();
  EXPECT_THAT(open_error(folder / "other.h5"), HasSubstr("other.h5: no results file: it has no record table"));

  hdf5::File file = hdf5::File::create(folder / "bare.h5");
  file.set_attribute("schema_version", kSchemaVersion);
  file.close();
  EXPECT_THAT(open_error(folder / "bare.h5"), HasSubstr("expected the dataset /record"));
}

TEST(ResultsReader, RefusesANewerSchemaAndNamesBoth) {
  const Folder folder;
  hdf5::File file = hdf5::File::create(folder / "newer.h5");
  file.set_attribute("schema_version", int64_t{7});
  file.close();
  EXPECT_THAT(open_error(folder / "newer.h5"),
              AllOf(HasSubstr("results of schema version 7"), HasSubstr("expected 1 or older")));
}

TEST(ResultsReader, RefusesColumnsOfUnequalLength) {
  const Folder folder;
  hdf5::File file = hdf5::File::create(folder / "ragged.h5");
  file.set_attribute("schema_version", kSchemaVersion);
  file.create_dataset("record", hdf5::Element::kInt64, std::array{int64_t{2}});
  file.create_dataset("psnr", hdf5::Element::kFloat64, std::array{int64_t{3}});
  file.close();
  EXPECT_THAT(open_error(folder / "ragged.h5"), HasSubstr("ragged.h5:/psnr: 3 rows; expected 2 as in record"));
}

// A header that promises 2^50 rows must not cost memory.
TEST(ResultsReader, TakesMemoryOnlyForWhatIsStored) {
  const Folder folder;
  hdf5::File file = hdf5::File::create(folder / "huge.h5");
  file.set_attribute("schema_version", kSchemaVersion);
  const std::array huge = {int64_t{1} << 50};
  file.create_dataset("record", hdf5::Element::kInt64, huge);
  file.create_dataset("psnr", hdf5::Element::kFloat64, huge);
  file.create_dataset("sample", hdf5::Element::kText, huge);
  file.close();
  const ResultsReader reader(folder / "huge.h5");
  EXPECT_THAT(error_of([&] { reader.numbers("psnr"); }), HasSubstr("elements promised, 0 bytes stored"));
  EXPECT_THAT(error_of([&] { reader.texts("sample"); }), HasSubstr("elements promised, 0 bytes stored"));
}

TEST(ResultsReader, RefusesANumberOfNoText) {
  const Folder folder;
  for (const int64_t number : {-1, 2}) {
    hdf5::File file = hdf5::File::create(folder / "shard.h5");
    file.set_attribute("schema_version", kSchemaVersion);
    const std::array two = {int64_t{2}};
    file.create_dataset("record", hdf5::Element::kInt64, two);
    file.create_dataset("sample", hdf5::Element::kInt64, two).write(0, std::array{int64_t{0}, number});
    const std::vector<std::string> texts = {"a", "b"};
    file.create_group(std::string(kTextsGroup)).create_dataset("sample", hdf5::Element::kText, two).write(0, texts);
    file.close();
    const ResultsReader reader(folder / "shard.h5");
    EXPECT_EQ(reader.texts("sample", 0, 1), std::vector<std::string>{"a"});
    EXPECT_THAT(error_of([&] { reader.texts("sample"); }), HasSubstr("shard.h5:/sample: text code out of range"));
  }
}

// Where the heaps are that hold texts: HDF5 itself trusts what is in them.
std::vector<bool> heap_bytes(const std::string& file) {
  std::vector<bool> inside(file.size(), false);
  for (size_t at = 0; (at = file.find("GCOL", at)) != std::string::npos; ++at) {
    uint64_t size = 0;
    std::memcpy(&size, file.data() + at + 8, sizeof size);
    std::fill_n(inside.begin() + static_cast<int64_t>(at), size, true);
  }
  return inside;
}

// Whatever single bit is wrong elsewhere, reading ends with values or with one line.
TEST(ResultsReader, SurvivesFlippedBits) {
  const Folder folder;
  const std::string whole = example::bytes_of(finished_run(folder));
  const std::vector<bool> heap = heap_bytes(whole);
  std::mt19937 random(5);
  int refused = 0;
  for (int trial = 0; trial < 300; ++trial) {
    const size_t at = random() % whole.size();
    if (heap[at]) continue;
    std::string bytes = whole;
    bytes[at] ^= static_cast<char>(1 << (random() % 8));
    example::write_bytes(folder / "flipped.h5", bytes);
    const std::string message = error_of([&] {
      const ResultsReader reader(folder / "flipped.h5");
      for (const Column& column : reader.columns()) {
        if (column.type == ColumnType::kString) {
          reader.texts(column.name);
        } else {
          reader.numbers(column.name);
        }
      }
      reader.steps();
      reader.trial_configs();
      reader.provenance();
    });
    refused += !message.empty();
  }
  EXPECT_GT(refused, 0);
}

TEST(ResultsReader, NamesTheNearestColumn) {
  const Folder folder;
  const ResultsReader reader(finished_run(folder));
  EXPECT_THAT(error_of([&] { reader.numbers("pnsr"); }), HasSubstr("no column 'pnsr'. Did you mean 'psnr'?"));
  EXPECT_THAT(error_of([&] { reader.numbers("sample"); }), HasSubstr("a column of text; expected numbers"));
  EXPECT_THAT(error_of([&] { reader.texts("psnr"); }), HasSubstr("a column of float64; expected text"));
  EXPECT_TRUE(reader.has("psnr"));
  EXPECT_FALSE(reader.has("record"));
}

TEST(ResultsReader, ReadsTextsOfSingleRows) {
  const Folder folder;
  const ResultsReader reader(finished_run(folder));
  const std::array<int64_t, 3> rows = {3, 4, 19};
  EXPECT_THAT(reader.texts_at("sample", rows),
              testing::ElementsAre(example::sample_of(3), example::sample_of(4), example::sample_of(19)));
  EXPECT_THAT(reader.texts_at("sample", {}), testing::IsEmpty());
  const std::array<int64_t, 1> beyond = {20};
  EXPECT_THAT(error_of([&] { reader.texts_at("sample", beyond); }), HasSubstr("/sample: a row out of range"));
}

TEST(ResultsReader, ReadsTextsInPlace) {
  const Folder folder;
  const ResultsReader reader(finished_run(folder));
  Texts texts = reader.text_views("sample", 3, 2);
  const Texts moved = std::move(texts);  // the texts stay where they are
  ASSERT_EQ(moved.size(), 2u);
  EXPECT_EQ(moved[0], example::sample_of(3));
  EXPECT_EQ(moved[1], example::sample_of(4));
  EXPECT_EQ(reader.text_views("sample", 20).size(), 0u);
  EXPECT_EQ(Texts(1)[0], "");
}

TEST(ResultsReader, ReadsStretches) {
  const Folder folder;
  const ResultsReader reader(finished_run(folder));
  EXPECT_THAT(reader.numbers("psnr", 4, 2), testing::ElementsAre(example::psnr_of(4), example::psnr_of(5)));
  EXPECT_THAT(reader.texts("sample", 19), testing::ElementsAre(example::sample_of(19)));
  EXPECT_TRUE(reader.numbers("psnr", 20).empty());
  EXPECT_THAT(error_of([&] { reader.numbers("psnr", 19, 2); }), HasSubstr("20 rows; expected rows 19 to 21"));
  EXPECT_THAT(reader.steps(2, 1).record, testing::ElementsAre(1));
}

TEST(ResultsReader, RefusesAnArrayThatIsNotThere) {
  const Folder folder;
  const ResultsReader reader(finished_run(folder));
  EXPECT_THAT(error_of([&] { reader.array("images/3"); }), HasSubstr("images/3: cannot open the dataset"));
}

}  // namespace
}  // namespace roundtrip::store
