// The journal yields every whole line, and passes over what is torn or corrupt.
#include "store/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/example.h"

namespace roundtrip::store {
namespace {

using example::Folder;
using testing::ElementsAre;

std::vector<int64_t> rows_of(JournalReader& reader) {
  std::vector<int64_t> rows;
  while (const auto entry = reader.next()) rows.push_back(entry->record.plan_row);
  return rows;
}

std::span<const std::byte> as_bytes(const auto& values) { return std::as_bytes(std::span(values)); }

class Journal : public testing::Test {
 protected:
  void write(int64_t records) {
    JournalWriter writer(paths);
    for (int64_t row = 0; row < records; ++row) writer.append(example::record(row), {});
    writer.sync();
  }

  Folder folder;
  JournalPaths paths{folder / "", 0};
};

TEST_F(Journal, GivesRecordsBack) {
  {
    JournalWriter writer(paths);
    Record record = example::record(7);
    record.values["psnr"] = -example::kInfinity;
    record.values["missing"] = std::monostate();
    record.values["whole"] = 2.0;  // stays a float64
    writer.append(record, {});
  }
  JournalReader reader(paths);
  const auto entry = reader.next();
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->record.plan_row, 7);
  EXPECT_EQ(std::get<std::string>(entry->record.values.at("sample")), example::sample_of(7));
  EXPECT_EQ(std::get<int64_t>(entry->record.values.at("steps")), 10);
  EXPECT_EQ(std::get<double>(entry->record.values.at("psnr")), -example::kInfinity);
  EXPECT_EQ(std::get<double>(entry->record.values.at("whole")), 2.0);
  EXPECT_FALSE(entry->record.values.contains("missing"));
  ASSERT_EQ(entry->record.steps.size(), 2u);
  EXPECT_EQ(entry->record.steps[1].t, 200);
  EXPECT_EQ(entry->record.steps[1].pivot_distance, 1.0);
  EXPECT_TRUE(std::isnan(entry->record.steps[1].loss));
  EXPECT_FALSE(reader.next());
  EXPECT_EQ(reader.ignored_bytes(), 0);
}

TEST_F(Journal, GivesNumbersAndTextsBackToTheLastBit) {
  const std::vector<double> numbers = {0.1, -0.0, 1e300, -2.5e-310, 5e-324, 1e20, 123456789012345678.0, 1.0 / 3};
  const std::vector<std::string> texts = {"", "plain ~", "\t\"\\/\n\x01\x7F", "na\xC3\xAFve \xE2\x98\x83"};
  Record record{.plan_row = 0, .values = {}, .steps = {}};
  for (size_t k = 0; k < numbers.size(); ++k) record.values["number" + std::to_string(k)] = numbers[k];
  for (size_t k = 0; k < texts.size(); ++k) record.values["text" + std::to_string(k)] = texts[k];
  record.values["least"] = std::numeric_limits<int64_t>::min();
  record.steps = {{.i = -1, .t = 999, .pivot_distance = -example::kInfinity, .loss = 0.1, .inner_steps = 3}};
  {
    JournalWriter writer(paths);
    writer.append(record, {});
  }
  const auto entry = JournalReader(paths).next();
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->record.values, record.values);
  EXPECT_TRUE(std::signbit(std::get<double>(entry->record.values.at("number1"))));
  ASSERT_EQ(entry->record.steps.size(), 1u);
  EXPECT_EQ(entry->record.steps[0].i, -1);
  EXPECT_EQ(entry->record.steps[0].pivot_distance, -example::kInfinity);
  EXPECT_EQ(entry->record.steps[0].loss, 0.1);
}

TEST_F(Journal, IgnoresATornTailAndSaysHowMuch) {
  write(3);
  const std::string whole = example::bytes_of(paths.lines);
  const size_t third = whole.rfind('\n', whole.size() - 2) + 1;
  for (size_t size = third; size <= whole.size(); ++size) {
    example::write_bytes(paths.lines, whole.substr(0, size));
    JournalReader reader(paths);
    const bool third_is_whole = size + 1 >= whole.size();  // it lacks its line end at most
    EXPECT_EQ(rows_of(reader).size(), third_is_whole ? 3u : 2u) << size;
    EXPECT_EQ(reader.ignored_bytes(), third_is_whole ? 0 : static_cast<int64_t>(size - third)) << size;
  }
}

TEST_F(Journal, IgnoresALineWithAnyByteChanged) {
  write(2);
  const std::string whole = example::bytes_of(paths.lines);
  const size_t second = whole.find('\n') + 1;
  for (size_t at = second; at + 1 < whole.size(); ++at) {
    std::string bytes = whole;
    bytes[at] ^= 4;
    example::write_bytes(paths.lines, bytes);
    JournalReader reader(paths);
    EXPECT_THAT(rows_of(reader), ElementsAre(0)) << at;
    EXPECT_EQ(reader.ignored_bytes(), static_cast<int64_t>(whole.size() - second)) << at;
  }
}

TEST_F(Journal, GoesOnAfterACorruptLine) {
  write(3);
  std::string bytes = example::bytes_of(paths.lines);
  bytes[bytes.find('\n') + 30] = '\0';
  example::write_bytes(paths.lines, bytes + "\n\nnoise\n");
  JournalReader reader(paths);
  EXPECT_THAT(rows_of(reader), ElementsAre(0, 2));
  EXPECT_EQ(reader.ignored_lines(), 4);
}

TEST_F(Journal, IgnoresALineWhoseArrayIsNotWhole) {
  const std::vector<float> values = {1, 2, 3, 4};
  {
    JournalWriter writer(paths);
    for (int64_t row = 0; row < 3; ++row) {
      const std::vector<ArrayView> arrays = {{"images/{row}", ArrayType::kFloat32, {4}, as_bytes(values)}};
      writer.append(example::record(row), arrays);
    }
    writer.sync();
  }
  std::string bytes = example::bytes_of(paths.arrays);
  ASSERT_EQ(bytes.size(), 48u);
  bytes[20] ^= 1;  // in the second array
  example::write_bytes(paths.arrays, bytes.substr(0, 47));
  JournalReader reader(paths);
  EXPECT_THAT(rows_of(reader), ElementsAre(0));
  EXPECT_EQ(reader.ignored_lines(), 2);
}

TEST_F(Journal, GivesArraysBack) {
  const std::vector<float> values = {1, 2, 3, 4, 5, 6};
  {
    JournalWriter writer(paths);
    const std::vector<ArrayView> arrays = {
        {"images/{row}", ArrayType::kFloat32, {2, 1}, as_bytes(values).first(8)},
        {"trajectories/{row}/invert", ArrayType::kFloat32, {2, 2}, as_bytes(values).subspan(8)}};
    writer.append(example::record(0), arrays);
    writer.sync();
  }
  JournalReader reader(paths);
  const auto entry = reader.next();
  ASSERT_TRUE(entry);
  ASSERT_EQ(entry->arrays.size(), 2u);
  EXPECT_EQ(entry->arrays[1].path, "trajectories/{row}/invert");
  EXPECT_THAT(entry->arrays[1].shape, ElementsAre(2, 2));
  EXPECT_TRUE(std::ranges::equal(reader.bytes_of(entry->arrays[1]), as_bytes(values).subspan(8)));
}

TEST_F(Journal, RefusesAnArrayThatHasChanged) {
  const std::vector<float> values = {1, 2};
  std::vector<ArrayReference> references;
  {
    JournalWriter writer(paths);
    const std::vector<ArrayView> arrays = {{"images/{row}", ArrayType::kFloat32, {2}, as_bytes(values)}};
    references = writer.append(example::record(0), arrays);
    writer.sync();
  }
  ASSERT_EQ(references.size(), 1u);
  EXPECT_TRUE(std::ranges::equal(JournalReader(paths).bytes_of(references[0]), as_bytes(values)));
  std::string bytes = example::bytes_of(paths.arrays);
  bytes[3] ^= 1;
  example::write_bytes(paths.arrays, bytes);
  EXPECT_THAT(example::error_of([&] { JournalReader(paths).bytes_of(references[0]); }),
              testing::HasSubstr("0000.arrays: images/{row} has changed since it was written"));
}

// A line that refers to an array must not reach its file before the array is on disk.
TEST_F(Journal, HoldsLinesBackUntilTheirArraysAreSynced) {
  const std::vector<float> values = {1};
  const std::vector<ArrayView> arrays = {{"images/{row}", ArrayType::kFloat32, {1}, as_bytes(values)}};
  JournalWriter writer(paths);
  writer.append(example::record(0), {});
  const size_t before = example::bytes_of(paths.lines).size();
  EXPECT_GT(before, 0u);
  writer.append(example::record(1), arrays);
  writer.append(example::record(2), {});  // keeps its place behind record 1
  EXPECT_EQ(example::bytes_of(paths.lines).size(), before);
  EXPECT_EQ(example::bytes_of(paths.arrays).size(), 4u);
  writer.sync();
  JournalReader reader(paths);
  EXPECT_THAT(rows_of(reader), ElementsAre(0, 1, 2));
}

TEST_F(Journal, SyncsOnlyWhenItIsTime) {
  const std::vector<float> values = {1};
  const std::vector<ArrayView> arrays = {{"images/{row}", ArrayType::kFloat32, {1}, as_bytes(values)}};
  JournalWriter writer(paths);
  writer.append(example::record(0), arrays);
  writer.sync_if_due(3600);
  EXPECT_EQ(example::bytes_of(paths.lines), "");
  writer.sync_if_due(0);
  EXPECT_NE(example::bytes_of(paths.lines), "");
}

TEST_F(Journal, OfNoFilesIsEmpty) {
  JournalReader reader(paths);
  EXPECT_FALSE(reader.next());
}

}  // namespace
}  // namespace roundtrip::store
