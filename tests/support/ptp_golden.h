// Tables of Prompt-to-Prompt's word look-ups, mappers and windows (tests/golden/ptp/mappers.json), and prompts as its
// tokenizer cuts them.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "text/prompt_tokens.h"

namespace roundtrip::testing {

inline const nlohmann::json& ptp_golden() {
  static const nlohmann::json golden = read_json(ROUNDTRIP_SOURCE_DIR "/tests/golden/ptp/mappers.json");
  return golden;
}

inline text::PromptTokens golden_tokens(const std::string& prompt) {
  const nlohmann::json& entry = ptp_golden().at("pieces").at(prompt);
  return {.prompt = prompt,
          .ids = entry.at("ids").get<std::vector<int64_t>>(),
          .pieces = entry.at("text").get<std::vector<std::string>>()};
}

}  // namespace roundtrip::testing
