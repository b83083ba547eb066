// Whatever the bytes: a document is read or refused, and what is read is written so that it reads back the same.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "hydra/tree/yaml.h"

namespace roundtrip::hydra {
namespace {

void one_input(std::string_view text) {
  constexpr YamlLimits kLimits{.max_bytes = size_t{1} << 16, .max_depth = 100, .max_nodes = 10'000};
  Node node;
  try {
    std::vector<YamlWarning> warnings;
    node = parse_yaml(text, "fuzz", &warnings, kLimits);
  } catch (const Error& error) {
    check(error.kind() == ErrorKind::kParse && !error.message().empty(), "a refusal says what does not parse");
    return;
  }
  const std::string written = to_yaml(node);
  check(parse_yaml(written, "written") == node, "a tree reads back from what is written of it");
}

}  // namespace
}  // namespace roundtrip::hydra

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  roundtrip::hydra::one_input({reinterpret_cast<const char*>(data), size});
  return 0;
}
