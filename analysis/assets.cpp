#include "analysis/assets.h"

#include <algorithm>

#include "base/error.h"

namespace roundtrip::analysis {

std::string_view asset(std::string_view name) {
  const auto found = std::ranges::find(assets(), name, &Asset::name);
  check(found != assets().end(), "every asset that is asked for is built in");
  return found->text;
}

}  // namespace roundtrip::analysis
