// A session on the tiny model.
#include "session/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace roundtrip::session {
namespace {

using ::testing::ElementsAre;

TEST(Session, TellsTheTokensOfAPrompt) {
  SessionOptions options;
  options.model.path = ROUNDTRIP_SOURCE_DIR "/tests/golden/models/tiny-sd";
  options.engine.device = "cpu";
  options.engine.max_batch = 1;
  options.height = options.width = 32;
  options.times = {500};
  Session session(options);
  const std::optional<text::PromptTokens> tokens = session.prompt_tokens("a red circle");
  ASSERT_TRUE(tokens);
  EXPECT_THAT(tokens->ids, ElementsAre(558, 320, 513, 525, 559));
  EXPECT_THAT(tokens->pieces, ElementsAre("a", "red", "circle"));
  EXPECT_EQ(tokens->max_length, session.embedding("").conditioning.tokens.size(0));
}

}  // namespace
}  // namespace roundtrip::session
