#include "text/clip_words.h"

#include <algorithm>
#include <cstdint>

#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/uniset.h>
#include <unicode/utf8.h>

#include "base/error.h"
#include "text/new_characters.h"

namespace roundtrip::text {
namespace {

enum class Kind { kSpace, kLetter, kNumber, kOther };

Kind kind_of(UChar32 c) {
  if (c < 0x80) {
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return Kind::kLetter;
    if (c >= '0' && c <= '9') return Kind::kNumber;
    return c == ' ' || (c >= '\t' && c <= '\r') ? Kind::kSpace : Kind::kOther;
  }
  const uint32_t category = U_GET_GC_MASK(c);
  if (category & U_GC_L_MASK) return Kind::kLetter;
  if (category & U_GC_N_MASK) return Kind::kNumber;
  if (category & U_GC_CN_MASK) {
    return is_new_letter(c) ? Kind::kLetter : is_new_number(c) ? Kind::kNumber : Kind::kOther;
  }
  return u_isUWhiteSpace(c) ? Kind::kSpace : Kind::kOther;
}

// Walks over code points.
class Cursor {
 public:
  explicit Cursor(std::string_view text, size_t at = 0) : text_(text), at_(static_cast<int32_t>(at)) {}
  bool at_end() const { return static_cast<size_t>(at_) >= text_.size(); }
  size_t position() const { return static_cast<size_t>(at_); }
  UChar32 next() {
    UChar32 c = 0;
    U8_NEXT(text_.data(), at_, static_cast<int32_t>(text_.size()), c);
    return c;
  }

 private:
  std::string_view text_;
  int32_t at_;
};

// NFC of Unicode 9, as in the tables of the tokenizers library: later characters stay unchanged.
const icu::Normalizer2& nfc_of_unicode_9() {
  static const icu::FilteredNormalizer2 filtered = [] {
    UErrorCode status = U_ZERO_ERROR;
    const icu::Normalizer2* nfc = icu::Normalizer2::getNFCInstance(status);
    static const icu::UnicodeSet known(u"[:age=9.0:]", status);
    check(U_SUCCESS(status), "ICU knows which characters Unicode 9 has");
    return icu::FilteredNormalizer2(*nfc, known);
  }();
  return filtered;
}

std::string compose(std::string_view text) {
  if (std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; })) return std::string(text);
  UErrorCode status = U_ZERO_ERROR;
  std::string composed;
  icu::StringByteSink<std::string> sink(&composed);
  nfc_of_unicode_9().normalizeUTF8(0, {text.data(), static_cast<int32_t>(text.size())}, sink, nullptr, status);
  check(U_SUCCESS(status), "ICU composes valid UTF-8");
  return composed;
}

void append(UChar32 c, std::string& text) {
  char bytes[U8_MAX_LENGTH];
  int32_t n = 0;
  U8_APPEND_UNSAFE(bytes, n, c);
  text.append(bytes, static_cast<size_t>(n));
}

// Contraction at the start of `text`, or nothing. The first match in the pattern's order counts.
std::string_view contraction(std::string_view text) {
  for (const std::string_view ending : {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"}) {
    if (text.starts_with(ending)) return ending;
  }
  return {};
}

// The end of the run of characters of `kind` that starts at `from`.
size_t end_of_run(std::string_view text, size_t from, Kind kind) {
  Cursor cursor(text, from);
  size_t end = from;
  while (!cursor.at_end() && kind_of(cursor.next()) == kind) end = cursor.position();
  return end;
}

}  // namespace

std::string normalise(std::string_view text) {
  const std::string composed = compose(text);
  std::string normalised;
  normalised.reserve(composed.size());
  bool after_space = false;
  for (Cursor cursor(composed); !cursor.at_end();) {
    const UChar32 c = cursor.next();
    const bool space = kind_of(c) == Kind::kSpace;
    if (space) {
      if (!after_space) normalised += ' ';
    } else if (c == 0x130) {
      normalised += "i\u0307";  // I with a dot: the only letter whose lower case has two code points
    } else {
      append(u_charType(c) == U_UNASSIGNED ? new_lower(c) : u_tolower(c), normalised);
    }
    after_space = space;
  }
  return normalised;
}

void for_each_word(std::string_view text, const std::function<void(std::string_view)>& each) {
  for (size_t at = 0; at < text.size();) {
    // The pattern keeps a special token in the text together, and the byte-level step splits it again. The word ends
    // after its `|>` even if more symbols follow.
    bool is_special = false;
    for (const std::string_view name : {"<|startoftext|>", "<|endoftext|>"}) {
      if (!text.substr(at).starts_with(name)) continue;
      each(name.substr(0, 2));
      each(name.substr(2, name.size() - 4));
      each(name.substr(name.size() - 2));
      at += name.size();
      is_special = true;
    }
    if (is_special) continue;
    if (const std::string_view ending = contraction(text.substr(at)); !ending.empty()) {
      each(ending);
      at += ending.size();
      continue;
    }
    Cursor cursor(text, at);
    const Kind kind = kind_of(cursor.next());
    const size_t end = kind == Kind::kNumber ? cursor.position() : end_of_run(text, at, kind);
    if (kind != Kind::kSpace) each(text.substr(at, end - at));
    at = end;
  }
}

}  // namespace roundtrip::text
