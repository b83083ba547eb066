// Answers cases about Hydra's and OmegaConf's behaviour, one JSON object a line, from standard input to standard
// output: hydra_differential_test.py compares the answers with theirs.
//
//   hydra_probe ROOT    ROOT: the folder that the folders of compose cases are relative to
#include <cstdio>
#include <iostream>

#include "base/error.h"
#include "support/conformance.h"

int main(int count, char** arguments) {
  try {
    if (count != 2) throw roundtrip::Error(roundtrip::ErrorKind::kUsage, "usage: hydra_probe ROOT < CASES");
    std::ios::sync_with_stdio(false);
    roundtrip::hydra::run_conformance(std::cin, std::cout, arguments[1]);
    std::cout.flush();
    if (!std::cout) throw roundtrip::input_error("standard output", "cannot be written");
    return 0;
  } catch (const roundtrip::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return roundtrip::exit_code(error.kind());
  }
}
