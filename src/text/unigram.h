// The unigram model of sentencepiece (Kudo, ACL 2018): a word is cut into the pieces whose scores, log-probabilities,
// have the largest sum.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace roundtrip::text {

class Unigram {
 public:
  // Pieces in the order of their ids, with their scores; `unknown` is an id. Of equal pieces the first counts.
  Unigram(const std::vector<std::pair<std::string, double>>& pieces, int64_t unknown);

  // Appends the ids of `word`, valid UTF-8, by Viterbi's algorithm in float64: of equal sums the one with the earlier
  // start wins. A character that no piece covers costs 10 more than the worst piece, and a run of them is one unknown.
  void encode(std::string_view word, std::vector<int64_t>& ids) const;

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };

  std::unordered_map<std::string, int64_t, Hash, std::equal_to<>> ids_;
  std::vector<double> scores_;
  int64_t unknown_;
  double unknown_score_ = 0;
  size_t longest_ = 0;  // bytes of a piece
};

}  // namespace roundtrip::text
