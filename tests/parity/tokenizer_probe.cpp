// Prints the token ids of prompts, for comparison with other implementations.
//
//   tokenizer_probe FOLDER < PROMPTS
//
// PROMPTS: a JSON string on each line. For each, a line {"ids": [max_length], "dropped": n}.
#include <iostream>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "text/clip_tokenizer.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "usage: tokenizer_probe FOLDER < PROMPTS\n");
    return 2;
  }
  try {
    const auto tokenizer = roundtrip::text::ClipTokenizer::open(argv[1]);
    for (std::string line; std::getline(std::cin, line);) {
      const auto encoding = tokenizer.encode(nlohmann::json::parse(line).get<std::string>());
      const nlohmann::json answer{{"ids", encoding.ids}, {"dropped", encoding.dropped_tokens}};
      std::cout << answer.dump() << '\n';
    }
  } catch (const roundtrip::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return roundtrip::exit_code(error.kind());
  }
  return 0;
}
