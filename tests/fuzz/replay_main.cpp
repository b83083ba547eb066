// Runs a fuzz target without libFuzzer, which g++ does not have: every file of the corpus, then mutants of them from a
// fixed seed. Takes libFuzzer's words: TARGET [-runs=N] CORPUS_FOLDER... Finds no new paths by itself; scripts/fuzz
// does.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

// Puts the input where a crash can be looked at, as libFuzzer does.
void run(const std::string& input) {
  try {
    LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
  } catch (const std::exception& failure) {
    std::ofstream("crash-input", std::ios::binary) << input;
    std::fprintf(stderr, "%s\ninput of %zu bytes, kept in crash-input:\n%s\n", failure.what(), input.size(),
                 input.c_str());
    std::exit(1);
  }
}

std::string mutated(std::string text, const std::vector<std::string>& corpus, std::mt19937_64& random) {
  const auto below = [&](size_t n) { return static_cast<size_t>(random() % n); };
  for (size_t times = 1 + below(4); times > 0; --times) {
    const size_t at = below(text.size() + 1);
    switch (below(5)) {
      case 0:
        text.insert(at, 1, static_cast<char>(below(256)));
        break;
      case 1:
        if (at < text.size()) text.erase(at, 1 + below(4));
        break;
      case 2:
        if (at < text.size()) text[at] = "\\'\"${}[]():,=~+@ \n"[below(17)];
        break;
      case 3:
        text.insert(at, text.substr(below(text.size() + 1), 1 + below(16)));
        break;
      default: {  // the head of one, the tail of another
        const std::string& other = corpus[below(corpus.size())];
        text = text.substr(0, at) + other.substr(below(other.size() + 1));
      }
    }
  }
  return text;
}

}  // namespace

int main(int count, char** words) {
  size_t runs = 0;
  std::vector<std::filesystem::path> files;
  for (int k = 1; k < count; ++k) {
    const std::string_view word = words[k];
    if (word.starts_with("-runs=")) {
      runs = std::strtoull(words[k] + 6, nullptr, 10);
    } else {
      for (const auto& entry : std::filesystem::directory_iterator(word)) files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  std::vector<std::string> corpus;
  for (const auto& file : files) {
    std::ifstream stream(file, std::ios::binary);
    corpus.emplace_back(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>());
  }
  if (corpus.empty()) {
    std::fprintf(stderr, "no corpus: name its folder\n");
    return 2;
  }
  for (const std::string& input : corpus) run(input);
  std::mt19937_64 random(1);
  for (size_t k = 0; k < runs; ++k) run(mutated(corpus[k % corpus.size()], corpus, random));
  std::printf("%zu files and %zu mutants\n", corpus.size(), runs);
}
