// metadata.csv: the table in place of metadata.jsonl, as RFC 4180 has it.
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/csv.h"
#include "data/lists.h"

namespace roundtrip::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

std::vector<std::vector<std::string>> fields(std::string_view text) {
  std::vector<std::vector<std::string>> all;
  for (CsvRecord& record : parse_csv(text, "t.csv")) all.push_back(std::move(record.fields));
  return all;
}

TEST(Csv, ReadsQuotesAndLineEndings) {
  EXPECT_THAT(fields("a,b\r\n1,\"x, \"\"y\"\"\"\n,\r\"p\r\nq\",z"),
              ElementsAre(ElementsAre("a", "b"), ElementsAre("1", "x, \"y\""), ElementsAre("", ""),
                          ElementsAre("p\r\nq", "z")));
  EXPECT_THAT(fields("\xEF\xBB\xBF"
                     "a\n\n \n\"\"\n"),
              ElementsAre(ElementsAre("a"), ElementsAre(" "), ElementsAre("")));
  EXPECT_THAT(fields("a,b,"), ElementsAre(ElementsAre("a", "b", "")));
  EXPECT_THAT(fields(""), ElementsAre());
}

TEST(Csv, CountsLinesInsideQuotes) {
  const std::vector<CsvRecord> records = parse_csv("a\r\n\"x\ny\r\nz\"\nb", "t.csv");
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(records[1].line, 2);
  EXPECT_EQ(records[2].line, 5);
}

TEST(Csv, RefusesWhatTheRfcDoesNotHave) {
  const auto refusal = [](std::string_view text) { return error_of([&] { parse_csv(text, "t.csv"); }); };
  EXPECT_EQ(
      refusal("a,b\n1,x\"y\n"),
      "t.csv:2: field 2: a quote inside a field without quotes; expected the field in quotes, its quotes doubled");
  EXPECT_EQ(refusal("a\n\"x\ny"), "t.csv:2: field 1: a quote without an end; expected a closing quote");
  EXPECT_EQ(refusal("\"x\"y"), "t.csv:1: field 1: 'y' after a closing quote; expected a comma or the end of the line");
  EXPECT_EQ(refusal("a\n\xFF"), "t.csv: is not UTF-8; expected a table in UTF-8");
}

class MetadataCsvTest : public ListTest {
 protected:
  MetadataCsvTest() : ListTest("folder") {
    folder_.write("a.png", png());
    folder_.write("b.png", png());
    folder_.write("m/a.png", encoded(cv::Mat(4, 5, CV_8U, cv::Scalar(255)), ".png"));
  }
  std::string refused(const std::string& table) {
    folder_.write("metadata.csv", table);
    return refusal();
  }
};

TEST_F(MetadataCsvTest, GivesTextsAndEdits) {
  folder_.write("metadata.csv",
                "file_name,text,target_text,mask,edit,blend_words,equalizer,edit_attributes,unknown\r\n"
                "a.png,\"a \"\"red\"\", cat\",a dog,m/a.png,e,\"[\"\"cat\"\", [\"\"big\"\", \"\"dog\"\"]]\","
                "\"{\"\"dog\"\": 2}\",\"{\"\"type\"\": \"\"1\"\"}\",x\r\n"
                "a.png,\"a \"\"red\"\", cat\",a cow,,f,,,,\r\n"
                "b.png,,,,,,,,\r\n");
  options_.prompt = "a photo";
  const auto dataset = open();
  EXPECT_THAT(dataset->ids(), ElementsAre("a", "b"));
  EXPECT_EQ(dataset->prompt(0), "a \"red\", cat");
  EXPECT_EQ(dataset->prompt(1), "a photo");  // an empty field is no text
  ASSERT_EQ(dataset->edits(0).size(), 2u);
  const EditName edit = dataset->edits(0)[0];
  EXPECT_EQ(edit.name, "e");
  EXPECT_THAT(edit.words.blend_source, ElementsAre("cat"));
  EXPECT_THAT(edit.words.blend_target, ElementsAre("big", "dog"));
  EXPECT_THAT(edit.words.equalizer, ElementsAre(Pair("dog", 2.0)));
  EXPECT_THAT(edit.attributes, ElementsAre(Pair("type", "1")));
  EXPECT_EQ(std::ranges::count(*dataset->read_edit(0, 0).mask, 1), 20);
  EXPECT_FALSE(dataset->read_edit(0, 1).mask);
}

TEST_F(MetadataCsvTest, GivesTheSameDigestsAsLines) {
  folder_.write("metadata.csv",
                "file_name,text,target_text,mask,blend_words\na.png,x,y,m/a.png,\"[\"\"x\"\",\"\"y\"\"]\"\n");
  const std::string digest = open()->digest(0);
  std::filesystem::remove(folder_.path() / "metadata.csv");
  folder_.write("metadata.jsonl", R"({"file_name": "a.png", "text": "x", "target_text": "y", "mask": "m/a.png",)"
                                  R"( "blend_words": ["x", "y"]})");
  EXPECT_EQ(open()->digest(0), digest);
}

TEST_F(MetadataCsvTest, IsRefusedBesideLines) {
  folder_.write("metadata.jsonl", R"({"file_name": "b.png", "text": "x"})");
  EXPECT_THAT(refused("file_name,text\na.png,x\n"),
              HasSubstr("holds both metadata.csv and metadata.jsonl; expected one"));
  std::filesystem::remove(folder_.path() / "metadata.jsonl");
  folder_.write("m/metadata.jsonl", "");
  EXPECT_EQ(open()->prompt(0), "x");  // in another folder
}

TEST_F(MetadataCsvTest, IsRefusedWithFileAndLine) {
  EXPECT_EQ(refused("file_name,text\na.png,x\nc.png,y\n"),
            "metadata.csv:3: file_name 'c.png' does not exist. Did you mean 'a.png'?");
  EXPECT_EQ(refused("file_name,text\na.png\n"), "metadata.csv:2: 1 fields; expected 2 as in the header");
  EXPECT_EQ(refused("filename,text\na.png,x\n"),
            "metadata.csv:1: has no column file_name. Did you mean 'filename'?; expected a header with file_name and "
            "text");
  EXPECT_EQ(refused("file_name,text,text\n"), "metadata.csv:1: two columns 'text'; expected each column once");
  EXPECT_EQ(refused(""), "metadata.csv: is empty; expected a header with file_name and text");
  EXPECT_THAT(refused("file_name,target_text,blend_words\na.png,y,cat\n"),
              HasSubstr("metadata.csv:2: blend_words: not valid JSON"));
  EXPECT_THAT(refused("file_name,text\na.png,x\na.png,x\n"), HasSubstr("metadata.csv:3: file_name 'a.png' repeats "));
  EXPECT_THAT(refused("file_name,text\n,x\n"), HasSubstr("metadata.csv:2: has no file_name"));
}

}  // namespace
}  // namespace roundtrip::data
