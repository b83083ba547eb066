#include "hydra/override/override.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "hydra/override/grammar.h"

namespace roundtrip::hydra {
namespace {

constexpr size_t kMaxBytes = size_t{128} << 10;  // what Linux passes as one argument
constexpr size_t kMaxShown = 200;                // of an override that is in error

// A hint for text that does not parse: the most likely intention.
std::string hint(std::string_view text, const OverrideGrammar& grammar) {
  const size_t equal = text.find('=');
  if (equal == std::string_view::npos) return "expected key=value";
  const size_t at = grammar.error_at();
  if (at < equal) {
    if (text[at] == '[') return "lists use a.0=value, not a[0]=value";
    if (text[at] == ' ') return "no blanks before the '='";
    if (text[at] == '-') return "flags start with '-', keys do not";
    return "keys are made of letters, digits, '_', '-' and '.'; groups of names joined by '/'";
  }
  return "if it is text, quote the value: " + std::string(text.substr(0, std::min(equal, kMaxShown))) + "='...'";
}

// The override with a caret under `at`, cut to one screen line around it.
std::string caret(std::string_view text, size_t at) {
  constexpr size_t kBefore = 60, kAfter = 40;
  size_t from = at > kBefore ? at - kBefore : 0;
  while (from > 0 && (static_cast<unsigned char>(text[from]) & 0xC0) == 0x80) --from;
  std::string line(text.substr(from, at - from + kAfter));
  for (char& c : line) c = static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  return fmt::format("  {}\n  {}^", line, std::string(at - from, ' '));
}

}  // namespace

std::string Override::key_and_package() const { return package ? key + "@" + *package : key; }

std::string Override::key_text() const {
  static constexpr const char* kPrefixes[] = {"", "+", "++", "~"};
  return kPrefixes[static_cast<int>(type)] + key_and_package();
}

std::string Override::text() const { return value ? key_text() + "=" + to_text(*value) : key_text(); }

Mark Override::mark() const {
  static const auto kFile = std::make_shared<const std::string>("command line");
  return {kFile, 0, 0};
}

Override parse_override(std::string_view text) {
  if (text.size() > kMaxBytes) {
    throw Error(ErrorKind::kParse, fmt::format("an override of {} bytes; expected at most {}", text.size(), kMaxBytes));
  }
  if (!is_utf8(text) || text.find('\0') != std::string_view::npos) {
    throw Error(ErrorKind::kParse, "an override is not text: expected UTF-8 without NUL bytes");
  }
  OverrideGrammar grammar(text, OverrideLexer::Mode::kKey);
  try {
    Override result = grammar.override();
    result.input = std::string(text);
    return result;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kParse) throw;
    const std::string where = caret(text, std::min(grammar.error_at(), text.size()));
    if (grammar.failed_in_lexer()) {
      throw Error(ErrorKind::kParse, fmt::format("LexerNoViableAltException: {}", text.substr(0, kMaxShown)),
                  fmt::format("{}\n{}; {}", where, error.message(), hint(text, grammar)));
    }
    throw Error(
        ErrorKind::kParse, fmt::format("Error parsing override '{}'", text.substr(0, kMaxShown)),
        fmt::format("{}\n{}\n{}", std::string_view(error.what()).substr(0, 2 * kMaxShown), where, hint(text, grammar)));
  }
}

std::vector<Override> parse_overrides(const std::vector<std::string>& texts) {
  std::vector<Override> overrides;
  for (const std::string& text : texts) overrides.push_back(parse_override(text));
  return overrides;
}

}  // namespace roundtrip::hydra
