// Where the rows of requests lie in a batch.
//
// A batch of fixed shape is cut into equal parts, each computed on one thread. Rows that a plan links lie in one part,
// so that no cut moves with a batch's company and rows come out the same, bit for bit. Other rows fill what is free.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace roundtrip::engine {

using Slots = std::vector<int64_t>;  // the places of a request's rows, ascending

class Placement {
 public:
  Placement(int64_t capacity, int64_t parts);

  // Nothing where there is no room. A request that fits in no part or no batch is placed if it is the first, and then
  // alone.
  std::optional<Slots> place(int64_t rows, bool linked);

  int64_t placed() const { return placed_; }
  bool full() const;

 private:
  struct Part {
    int64_t next, end;
    int64_t room() const { return end - next; }
  };
  int64_t room() const;

  std::vector<Part> parts_;
  int64_t placed_ = 0;
};

}  // namespace roundtrip::engine
