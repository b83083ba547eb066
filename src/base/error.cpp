#include "base/error.h"

namespace roundtrip {

int exit_code(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kUsage:
      return 2;
    case ErrorKind::kNumeric:
    case ErrorKind::kOutOfMemory:
      return 3;
    default:
      return 1;
  }
}

}  // namespace roundtrip
