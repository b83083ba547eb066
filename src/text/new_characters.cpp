#include "text/new_characters.h"

#include <algorithm>
#include <array>
#include <span>

namespace roundtrip::text {
namespace {

struct Range {
  int32_t first, last;
};

constexpr std::array<Range, 22> kLetters{
    {{0x1C89, 0x1C8A},   {0xA7CB, 0xA7CD},   {0xA7DA, 0xA7DC},   {0x105C0, 0x105F3}, {0x10D4A, 0x10D65},
     {0x10D6F, 0x10D85}, {0x10EC2, 0x10EC4}, {0x11380, 0x11389}, {0x1138B, 0x1138B}, {0x1138E, 0x1138E},
     {0x11390, 0x113B5}, {0x113B7, 0x113B7}, {0x113D1, 0x113D1}, {0x113D3, 0x113D3}, {0x11BC0, 0x11BE0},
     {0x13460, 0x143FA}, {0x16100, 0x1611D}, {0x16D40, 0x16D6C}, {0x18CFF, 0x18CFF}, {0x1E5D0, 0x1E5ED},
     {0x1E5F0, 0x1E5F0}, {0x2EBF0, 0x2EE5D}}};
constexpr std::array<Range, 7> kNumbers{{{0x10D40, 0x10D49},
                                         {0x116D0, 0x116E3},
                                         {0x11BF0, 0x11BF9},
                                         {0x16130, 0x16139},
                                         {0x16D70, 0x16D79},
                                         {0x1CCF0, 0x1CCF9},
                                         {0x1E5F1, 0x1E5FA}}};

// Capitals, and the distance to their lower case.
struct Shift {
  Range capitals;
  int32_t distance;
};
constexpr std::array<Shift, 10> kShifts{{{{0x1C89, 0x1C89}, 1},
                                         {{0xA7CB, 0xA7CB}, 0x264 - 0xA7CB},
                                         {{0xA7CC, 0xA7CC}, 1},
                                         {{0xA7CE, 0xA7CE}, 1},
                                         {{0xA7D2, 0xA7D2}, 1},
                                         {{0xA7D4, 0xA7D4}, 1},
                                         {{0xA7DA, 0xA7DA}, 1},
                                         {{0xA7DC, 0xA7DC}, 0x19B - 0xA7DC},
                                         {{0x10D50, 0x10D65}, 0x20},
                                         {{0x16EA0, 0x16EB8}, 0x1B}}};

bool holds(const Range& range, int32_t c) { return range.first <= c && c <= range.last; }

bool any_holds(std::span<const Range> ranges, int32_t c) {
  return std::ranges::any_of(ranges, [c](const Range& range) { return holds(range, c); });
}

}  // namespace

bool is_new_letter(int32_t c) { return any_holds(kLetters, c); }

bool is_new_number(int32_t c) { return any_holds(kNumbers, c); }

int32_t new_lower(int32_t c) {
  for (const Shift& shift : kShifts) {
    if (holds(shift.capitals, c)) return c + shift.distance;
  }
  return c;
}

}  // namespace roundtrip::text
