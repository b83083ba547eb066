#include "text/charsmap.h"

#include <cstring>
#include <memory>

#include <unicode/ubrk.h>
#include <unicode/utext.h>
#include <unicode/utf8.h>

#include "base/error.h"

namespace roundtrip::text {
namespace {

constexpr size_t kUnitBytes = sizeof(uint32_t);
constexpr size_t kReplacedWhole = 6;  // bytes; a shorter cluster is looked up as one

// A unit of the double array: the offset of its children, whether it has a value, and the byte that leads to it.
uint32_t offset_of(uint32_t unit) { return (unit >> 10) << ((unit & (1u << 9)) >> 6); }
bool has_value(uint32_t unit) { return (unit >> 8) & 1; }
uint32_t label_of(uint32_t unit) { return unit & ((1u << 31) | 0xff); }
uint32_t value_of(uint32_t unit) { return unit & ((1u << 31) - 1); }

// The ends of the extended grapheme clusters of `text` (Unicode Standard Annex 29).
std::vector<size_t> cluster_ends(std::string_view text) {
  UErrorCode status = U_ZERO_ERROR;
  UText whole = UTEXT_INITIALIZER;
  utext_openUTF8(&whole, text.data(), static_cast<int64_t>(text.size()), &status);
  const std::unique_ptr<UText, void (*)(UText*)> closing(&whole, [](UText* opened) { utext_close(opened); });
  const std::unique_ptr<UBreakIterator, void (*)(UBreakIterator*)> breaks(
      ubrk_open(UBRK_CHARACTER, "", nullptr, 0, &status), [](UBreakIterator* opened) { ubrk_close(opened); });
  if (U_SUCCESS(status)) ubrk_setUText(breaks.get(), &whole, &status);
  check(U_SUCCESS(status), "ICU finds the clusters of valid UTF-8");
  std::vector<size_t> ends;
  ubrk_first(breaks.get());
  for (int32_t end = ubrk_next(breaks.get()); end != UBRK_DONE; end = ubrk_next(breaks.get())) {
    ends.push_back(static_cast<size_t>(end));
  }
  return ends;
}

}  // namespace

Charsmap::Charsmap(std::string_view bytes, const std::string& where) {
  if (bytes.empty()) return;
  uint32_t size = 0;
  if (bytes.size() >= kUnitBytes) std::memcpy(&size, bytes.data(), kUnitBytes);
  if (bytes.size() < kUnitBytes || size % kUnitBytes != 0 || size < kUnitBytes || size > bytes.size() - kUnitBytes) {
    throw input_error(where,
                      fmt::format("a precompiled_charsmap of {} bytes that names {} of its trie", bytes.size(), size),
                      "a size, a trie of whole units, and the values");
  }
  units_.resize(size / kUnitBytes);
  std::memcpy(units_.data(), bytes.data() + kUnitBytes, size);
  values_ = bytes.substr(kUnitBytes + size);
  if (values_.empty() || values_.back() != '\0') {
    throw input_error(where, "values of precompiled_charsmap that do not end", "a zero after the last");
  }
}

std::optional<std::string_view> Charsmap::find(std::string_view text) const {
  uint32_t at = offset_of(units_[0]);
  for (const char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    at ^= byte;
    if (byte == 0 || at >= units_.size() || label_of(units_[at]) != byte) return std::nullopt;
    const uint32_t unit = units_[at];
    at ^= offset_of(unit);
    if (!has_value(unit)) continue;
    const uint32_t value = at < units_.size() ? value_of(units_[at]) : values_.size();
    if (value >= values_.size()) return std::nullopt;
    return std::string_view(values_.c_str() + value);
  }
  return std::nullopt;
}

std::string Charsmap::apply(std::string_view text) const {
  if (units_.empty()) return std::string(text);
  std::string mapped;
  size_t from = 0;
  for (const size_t end : cluster_ends(text)) {
    const std::string_view cluster = text.substr(from, end - from);
    from = end;
    if (cluster.size() < kReplacedWhole) {
      if (const auto value = find(cluster)) {
        mapped += *value;
        continue;
      }
    }
    for (size_t at = 0; at < cluster.size();) {
      size_t next = at;
      U8_FWD_1(cluster.data(), next, cluster.size());
      const std::string_view character = cluster.substr(at, next - at);
      mapped += find(character).value_or(character);
      at = next;
    }
  }
  return mapped;
}

}  // namespace roundtrip::text
