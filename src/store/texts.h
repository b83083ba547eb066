// The texts of one read of a column, in a few blocks of memory instead of a string each.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace roundtrip::store {

class Texts {
 public:
  explicit Texts(size_t count) : texts_(count, nullptr) {}

  size_t size() const { return texts_.size(); }
  const char* c_str(size_t k) const { return texts_[k] == nullptr ? "" : texts_[k]; }
  std::string_view operator[](size_t k) const { return c_str(k); }

  // Selects the texts that the codes index, in their order. Every code is below size().
  Texts chosen(std::span<const int64_t> codes) && {
    std::vector<char*> texts;
    texts.reserve(codes.size());
    for (const int64_t code : codes) texts.push_back(texts_[code]);
    texts_ = std::move(texts);
    return std::move(*this);
  }

  // For the reader of a file: a pointer for each text, and room for one of `size` bytes (nullptr if out of memory).
  char** places() { return texts_.data(); }
  char* room(size_t size) {
    if (size > left_) {
      left_ = std::max(size, kBlock);
      at_ = blocks_.emplace_back(new (std::nothrow) char[left_]).get();
      if (at_ == nullptr) return std::exchange(left_, 0), nullptr;
    }
    left_ -= size;
    return std::exchange(at_, at_ + size);
  }

 private:
  static constexpr size_t kBlock = size_t{1} << 18;

  std::vector<char*> texts_;
  std::vector<std::unique_ptr<char[]>> blocks_;
  char* at_ = nullptr;
  size_t left_ = 0;
};

}  // namespace roundtrip::store
