// Whatever stands in a config, one line a key (A, B, ...): its interpolations resolve or are refused, and resolving
// what is resolved changes nothing.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/text.h"
#include "hydra/interpolation/interpolation.h"

namespace roundtrip::hydra {
namespace {

Node config_of(std::string_view text) {
  Dict section;
  section.set("x", Node(1));
  section.set("y", Node("${.x}"));
  section.set("l", Node(Node::List{Node(1), Node("two"), Node("${A}"), Node("???")}));
  Dict root;
  root.set("i", Node(3));
  root.set("s", Node("a b"));
  root.set("d", Node(std::move(section)));
  constexpr size_t kMostKeys = 16;
  char key = 'A';
  for (const std::string& line : split(text, '\n')) {
    if (static_cast<size_t>(key - 'A') == kMostKeys) break;
    root.set(std::string(1, key++), Node(line));
  }
  return Node(std::move(root));
}

void one_input(std::string_view text) {
  if (text.size() > 4096) return;
  if (text.find("sha256") != std::string_view::npos) return;  // reads whatever file it is given
  const Node root = config_of(text);
  const ResolveContext context{
      .hydra = {}, .now = {}, .environment = [](const std::string&, std::string&) { return false; }};
  try {
    const Node resolved = resolve(root, context);
    check(resolved.find("i")->as_int() == 3, "what needs no resolving stays");
  } catch (const Error& error) {
    const bool named = error.kind() == ErrorKind::kInterpolation || error.kind() == ErrorKind::kMissing;
    check(named && !error.message().empty(), "a refusal says what does not resolve");
  }
}

}  // namespace
}  // namespace roundtrip::hydra

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  roundtrip::hydra::one_input({reinterpret_cast<const char*>(data), size});
  return 0;
}
