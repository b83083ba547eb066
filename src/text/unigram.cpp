#include "text/unigram.h"

#include <algorithm>
#include <optional>

#include <unicode/utf8.h>

namespace roundtrip::text {

Unigram::Unigram(const std::vector<std::pair<std::string, double>>& pieces, int64_t unknown) : unknown_(unknown) {
  constexpr double kPenalty = 10;
  double worst = 0;
  for (const auto& [piece, score] : pieces) {
    ids_.emplace(piece, static_cast<int64_t>(scores_.size()));
    scores_.push_back(score);
    worst = std::min(worst, score);
    longest_ = std::max(longest_, piece.size());
  }
  unknown_score_ = worst - kPenalty;
}

void Unigram::encode(std::string_view word, std::vector<int64_t>& ids) const {
  struct Best {
    double score = 0;
    size_t from = 0;
    int64_t id = 0;
  };
  std::vector<std::optional<Best>> best(word.size() + 1);  // of the pieces up to a byte
  best[0] = Best{};
  const auto offer = [&](size_t from, size_t to, double score, int64_t id) {
    const double sum = best[from]->score + score;
    if (!best[to] || sum > best[to]->score) best[to] = Best{.score = sum, .from = from, .id = id};
  };
  for (size_t from = 0; from < word.size();) {
    size_t next = from;
    U8_FWD_1(word.data(), next, word.size());
    bool is_covered = false;
    for (size_t to = from + 1; to <= std::min(word.size(), from + longest_); ++to) {
      const auto piece = ids_.find(word.substr(from, to - from));
      if (piece == ids_.end()) continue;
      offer(from, to, scores_[piece->second], piece->second);
      is_covered |= to == next;
    }
    if (!is_covered) offer(from, next, unknown_score_, unknown_);
    from = next;
  }
  std::vector<int64_t> reversed;
  for (size_t to = word.size(); to > 0; to = best[to]->from) {
    const bool joins = best[to]->id == unknown_ && !reversed.empty() && reversed.back() == unknown_;
    if (!joins) reversed.push_back(best[to]->id);
  }
  ids.insert(ids.end(), reversed.rbegin(), reversed.rend());
}

}  // namespace roundtrip::text
