// Whatever the bytes: an override parses or is refused, and what parses is spelled so that it parses to the same again.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "hydra/override/override.h"

namespace roundtrip::hydra {
namespace {

void one_input(std::string_view text) {
  Override parsed;
  try {
    parsed = parse_override(text);
  } catch (const Error& error) {
    check(error.kind() == ErrorKind::kParse && !error.message().empty(), "a refusal says what does not parse");
    return;
  }
  // Values without a spelling of their own: functions make strings that read as something else (str(true)), and an
  // interpolation may hold characters that only an interpolation may hold.
  if (text.find('(') != std::string_view::npos || text.find("${") != std::string_view::npos) return;
  const std::string spelled = parsed.text();
  const Override again = parse_override(spelled);
  check(again.text() == spelled && again.key_text() == parsed.key_text(), "the spelling of an override is stable");
  if (parsed.value && !parsed.is_sweep()) {
    check(to_node(*again.value) == to_node(*parsed.value), "an override and its spelling hold the same value");
  }
}

}  // namespace
}  // namespace roundtrip::hydra

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  roundtrip::hydra::one_input({reinterpret_cast<const char*>(data), size});
  return 0;
}
