#include "engine/queue.h"

#include <new>
#include <string_view>

#include <c10/util/Exception.h>

namespace roundtrip::engine {

bool is_out_of_memory(const std::exception& error) {
  if (dynamic_cast<const c10::OutOfMemoryError*>(&error) || dynamic_cast<const std::bad_alloc*>(&error)) return true;
  // The CPU allocator throws a plain c10::Error.
  return std::string_view(error.what()).find("not enough memory") != std::string_view::npos;
}

bool Queue::shrink_after_out_of_memory(int64_t rows) {
  if (policy_.fixed_shape || rows <= 1) return false;
  memory_limit_ = static_cast<int>(rows / 2);
  return true;
}

}  // namespace roundtrip::engine
