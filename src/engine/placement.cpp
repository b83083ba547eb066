#include "engine/placement.h"

#include <algorithm>
#include <numeric>

namespace roundtrip::engine {

Placement::Placement(int64_t capacity, int64_t parts) {
  for (int64_t s = 0; s < parts; ++s) parts_.push_back({capacity * s / parts, capacity * (s + 1) / parts});
}

int64_t Placement::room() const {
  int64_t free = 0;
  for (const Part& part : parts_) free += part.room();
  return free;
}

bool Placement::full() const { return room() == 0; }

std::optional<Slots> Placement::place(int64_t rows, bool linked) {
  Slots slots(rows);
  const auto whole = std::ranges::find_if(parts_, [&](const Part& part) { return part.room() >= rows; });
  const bool fits = linked ? whole != parts_.end() : room() >= rows;
  if (!fits && placed_ > 0) return std::nullopt;
  if (!fits) {
    std::iota(slots.begin(), slots.end(), 0);
    for (Part& part : parts_) part.next = part.end;
  } else if (linked) {
    std::iota(slots.begin(), slots.end(), whole->next);
    whole->next += rows;
  } else {
    auto part = parts_.begin();
    for (int64_t& slot : slots) {
      while (part->room() == 0) ++part;
      slot = part->next++;
    }
  }
  placed_ += rows;
  return slots;
}

}  // namespace roundtrip::engine
