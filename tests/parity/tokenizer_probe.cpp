// Prints the token ids of prompts, for comparison with other implementations.
//
//   tokenizer_probe FOLDER < PROMPTS
//   tokenizer_probe FOLDER N
//
// PROMPTS: a JSON string on each line. For each, a line {"ids": [max_length], "dropped": n, "pieces": [...]}.
// N: the pieces of the ids below N, a JSON string on each line.
#include <iostream>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "text/clip_tokenizer.h"

int main(int argc, char** argv) {
  if (argc != 2 && argc != 3) {
    fmt::print(stderr, "usage: tokenizer_probe FOLDER < PROMPTS, or tokenizer_probe FOLDER N\n");
    return 2;
  }
  try {
    const auto tokenizer = roundtrip::text::ClipTokenizer::open(argv[1]);
    if (argc == 3) {
      for (int64_t id = 0; id < std::stoll(argv[2]); ++id)
        std::cout << nlohmann::json(tokenizer.piece(id)).dump() << '\n';
      return 0;
    }
    for (std::string line; std::getline(std::cin, line);) {
      const auto prompt = nlohmann::json::parse(line).get<std::string>();
      const auto encoding = tokenizer.encode(prompt);
      const nlohmann::json answer{
          {"ids", encoding.ids}, {"dropped", encoding.dropped_tokens}, {"pieces", tokenizer.tokens(prompt).pieces}};
      std::cout << answer.dump() << '\n';
    }
  } catch (const roundtrip::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return roundtrip::exit_code(error.kind());
  }
  return 0;
}
