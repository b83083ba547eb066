// The ids of transformers' CLIPTokenizer on prompts of many scripts (tests/golden/tokenizer/make_cases.py).
#include <fstream>
#include <map>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "text/clip_tokenizer.h"

namespace roundtrip::text {
namespace {

TEST(ClipTokenizerGolden, GivesTheIdsOfTransformers) {
  const std::string golden = ROUNDTRIP_SOURCE_DIR "/tests/golden/";
  std::map<std::string, ClipTokenizer> tokenizers;
  std::ifstream lines(golden + "tokenizer/unicode_cases.jsonl");
  int cases = 0;
  for (std::string line; std::getline(lines, line); ++cases) {
    const nlohmann::json expected = nlohmann::json::parse(line);
    const std::string folder = expected["tokenizer"];
    if (!tokenizers.contains(folder)) tokenizers.emplace(folder, ClipTokenizer::open(golden + folder));
    Encoding encoding = tokenizers.at(folder).encode(expected["text"].get<std::string>());
    EXPECT_EQ(encoding.dropped_tokens, expected["dropped"]) << line;
    encoding.ids.resize(expected["ids"].size());  // the file leaves out the padding
    EXPECT_EQ(encoding.ids, expected["ids"].get<std::vector<int64_t>>()) << line;
  }
  EXPECT_EQ(cases, 600);
}

}  // namespace
}  // namespace roundtrip::text
