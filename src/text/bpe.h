// Byte-level byte-pair encoding of one word, as CLIP uses it (Sennrich et al., ACL 2016; bytes as symbols: GPT-2).
//
// A word starts as one symbol per byte, the last one marked with `</w>`. As long as neighbouring symbols form a known
// merge, the merge of the lowest rank is applied, the leftmost first.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace roundtrip::text {

using Vocabulary = std::unordered_map<std::string, int64_t>;  // token, its bytes in GPT-2's printable letters -> id
using Merge = std::pair<std::string, std::string>;  // left and right symbol; its place in the list is its rank

class Bpe {
 public:
  // Bytes that are not in the vocabulary become `unknown`. Ids are below 2^31. Throws kInput, naming `where` and the
  // merge, if a symbol of a merge is not in the vocabulary.
  Bpe(const Vocabulary& vocabulary, const std::vector<Merge>& merges, int64_t unknown, std::string_view where);

  // Appends the ids of `word`, which must not be empty. O(n log n).
  void encode(std::string_view word, std::vector<int64_t>& ids) const;

 private:
  struct Rule {
    int rank;
    int64_t merged;
  };
  const Rule* rule(int64_t left, int64_t right) const;

  std::array<int64_t, 256> inner_, last_;  // the symbol of a byte, within a word and at its end
  std::unordered_map<uint64_t, Rule> rules_;
};

}  // namespace roundtrip::text
