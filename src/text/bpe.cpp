#include "text/bpe.h"

#include <queue>
#include <tuple>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "text/token_text.h"

namespace roundtrip::text {
namespace {

uint64_t key(int64_t left, int64_t right) { return static_cast<uint64_t>(left) << 32 | static_cast<uint64_t>(right); }

}  // namespace

Bpe::Bpe(const Vocabulary& vocabulary, const std::vector<Merge>& merges, int64_t unknown, std::string_view where) {
  const auto id_or = [&](const std::string& token, int64_t fallback) {
    const auto found = vocabulary.find(token);
    return found == vocabulary.end() ? fallback : found->second;
  };
  const std::array<std::string, 256> letters = byte_letters();
  for (size_t byte = 0; byte < 256; ++byte) {
    inner_[byte] = id_or(letters[byte], unknown);
    last_[byte] = id_or(fmt::format("{}{}", letters[byte], kEndOfWord), unknown);
  }
  int rank = 0;
  for (const auto& [left, right] : merges) {
    const std::string merged = left + right;
    for (const std::string* token : {&left, &right, &merged}) {
      if (!vocabulary.contains(*token)) {
        throw input_error(where, fmt::format("merge {} needs {}", name_text(left + " " + right), name_text(*token)),
                          "a token of the vocabulary");
      }
    }
    rules_.insert_or_assign(key(vocabulary.at(left), vocabulary.at(right)), Rule{rank++, vocabulary.at(merged)});
  }
}

const Bpe::Rule* Bpe::rule(int64_t left, int64_t right) const {
  const auto found = rules_.find(key(left, right));
  return found == rules_.end() ? nullptr : &found->second;
}

void Bpe::encode(std::string_view word, std::vector<int64_t>& ids) const {
  // The symbols are a linked list: a merge keeps its left symbol's place and unlinks the right one.
  struct Symbol {
    int64_t id;
    size_t from, to;  // neighbours
    bool alive = true;
  };
  const size_t n = word.size();
  std::vector<Symbol> symbols(n);
  for (size_t i = 0; i < n; ++i) {
    const auto byte = static_cast<unsigned char>(word[i]);
    symbols[i] = {i + 1 < n ? inner_[byte] : last_[byte], i - 1, i + 1};
  }

  using Candidate = std::tuple<int, size_t, int64_t>;  // rank, place of the left symbol, merged id
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> candidates;
  const auto propose = [&](size_t left) {
    if (left >= n || symbols[left].to >= n) return;
    const Rule* rule = this->rule(symbols[left].id, symbols[symbols[left].to].id);
    if (rule != nullptr) candidates.emplace(rule->rank, left, rule->merged);
  };
  for (size_t i = 0; i < n; ++i) propose(i);

  while (!candidates.empty()) {
    const auto [rank, place, merged] = candidates.top();
    candidates.pop();
    Symbol& left = symbols[place];
    if (!left.alive || left.to >= n) continue;
    // A candidate is stale if one of its symbols has since been merged with another.
    const Rule* rule = this->rule(left.id, symbols[left.to].id);
    if (rule == nullptr || rule->merged != merged) continue;
    Symbol& right = symbols[left.to];
    right.alive = false;
    left.id = merged;
    left.to = right.to;
    if (left.to < n) symbols[left.to].from = place;
    propose(left.from);
    propose(place);
  }
  for (size_t i = 0; i < n; i = symbols[i].to) ids.push_back(symbols[i].id);
}

}  // namespace roundtrip::text
