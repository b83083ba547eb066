// Table of texts, aligned for a terminal: the first column to the left, numbers to the right.
#pragma once

#include <string>
#include <vector>

namespace roundtrip::analysis {

class TextTable {
 public:
  explicit TextTable(std::vector<std::string> heads) { rows_.push_back(std::move(heads)); }
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  size_t rows() const { return rows_.size() - 1; }
  std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

// Width on a terminal: the number of bytes that start a UTF-8 character.
size_t width_of(const std::string& text);

}  // namespace roundtrip::analysis
