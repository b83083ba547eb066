#include "engine/out_of_memory.h"

#include <new>
#include <string_view>

#include <c10/util/Exception.h>

#include "base/error.h"

namespace roundtrip::engine {

bool is_out_of_memory(const std::exception& error) {
  if (dynamic_cast<const c10::OutOfMemoryError*>(&error) || dynamic_cast<const std::bad_alloc*>(&error)) return true;
  if (const auto* ours = dynamic_cast<const Error*>(&error)) return ours->kind() == ErrorKind::kOutOfMemory;
  // The CPU allocator throws a plain c10::Error.
  return std::string_view(error.what()).find("not enough memory") != std::string_view::npos;
}

}  // namespace roundtrip::engine
