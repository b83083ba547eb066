#include "engine/out_of_memory.h"

#include <new>

#include <c10/util/Exception.h>

#include "base/error.h"

namespace roundtrip::engine {

bool is_out_of_memory(const std::exception& error) {
  if (dynamic_cast<const c10::OutOfMemoryError*>(&error) || dynamic_cast<const std::bad_alloc*>(&error)) return true;
  const auto* own = dynamic_cast<const Error*>(&error);  // of a module of a metric
  if (own != nullptr && own->kind() == ErrorKind::kOutOfMemory) return true;
  // The CPU allocator throws a plain c10::Error, and TorchScript keeps only the text of what it runs into.
  return tells_of_full_memory(error.what());
}

}  // namespace roundtrip::engine
