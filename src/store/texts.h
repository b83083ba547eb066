// The texts of one read of a column, in a few blocks of memory: a million of them cost no million strings.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>
#include <string_view>
#include <utility>
#include <vector>

namespace roundtrip::store {

class Texts {
 public:
  explicit Texts(size_t count) : texts_(count, nullptr) {}

  size_t size() const { return texts_.size(); }
  std::string_view operator[](size_t k) const { return texts_[k] == nullptr ? std::string_view() : texts_[k]; }

  // For whoever reads them: a place for each text, and room for one of `size` bytes; nullptr where memory is short.
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
