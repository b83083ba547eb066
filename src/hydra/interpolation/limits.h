// Limits and errors that reading a text and walking the tree share. Private to the folder.
#pragma once

#include <string>

#include "base/error.h"

namespace roundtrip::hydra {

constexpr size_t kMaxShown = 200;  // bytes of a text that an error message repeats

// Counts one level of recursion while it exists. Throws kInterpolation past `limit`.
class DepthGuard {
 public:
  DepthGuard(int& depth, int limit) : depth_(depth) {
    if (++depth_ > limit) {
      --depth_;
      throw Error(ErrorKind::kInterpolation,
                  fmt::format("Recursive interpolation detected: deeper than {} levels", limit));
    }
  }
  ~DepthGuard() { --depth_; }

 private:
  int& depth_;
};

[[noreturn]] inline void throw_missing(const std::string& key) {
  throw Error(ErrorKind::kMissing,
              fmt::format("MissingMandatoryValue while resolving interpolation: Missing mandatory value: {}",
                          key.substr(0, kMaxShown)));
}

}  // namespace roundtrip::hydra
