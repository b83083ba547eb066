// Token ids against golden/tiny-sd: `text.ids` holds the ids of all of prompts.json.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/json.h"
#include "model/safetensors.h"
#include "text/clip_tokenizer.h"

namespace roundtrip::model {
namespace {

TEST(TokenizerGolden, GivesTheIdsOfTheGoldenPrompts) {
  const std::string golden = ROUNDTRIP_SOURCE_DIR "/tests/golden/";
  const text::ClipTokenizer tokenizer = text::ClipTokenizer::open(golden + "models/tiny-sd/tokenizer");
  const at::Tensor ids = SafetensorsFile::open(golden + "tiny-sd/golden.safetensors").tensor("text.ids");  // [P, 77]
  const auto prompts = read_json(golden + "tiny-sd/prompts.json").get<std::vector<std::string>>();
  ASSERT_EQ(ids.sizes(), (std::vector<int64_t>{static_cast<int64_t>(prompts.size()), tokenizer.max_length()}));
  for (size_t i = 0; i < prompts.size(); ++i) {
    const at::Tensor row = ids[static_cast<int64_t>(i)].to(at::kLong).contiguous();
    const std::vector<int64_t> expected(row.data_ptr<int64_t>(), row.data_ptr<int64_t>() + row.numel());
    EXPECT_EQ(tokenizer.encode(prompts[i]).ids, expected) << prompts[i];
  }
}

}  // namespace
}  // namespace roundtrip::model
