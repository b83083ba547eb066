#include "analysis/figure/png.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>

namespace roundtrip::analysis {
namespace {

void append_big_endian(std::string& bytes, uint32_t value) {
  for (const int shift : {24, 16, 8, 0}) bytes += static_cast<char>(value >> shift & 0xFF);
}

uint32_t crc32(std::string_view bytes) {  // PNG specification, annex D
  static const std::array<uint32_t, 256> kTable = [] {
    std::array<uint32_t, 256> table{};
    for (uint32_t n = 0; n < 256; ++n) {
      uint32_t c = n;
      for (int k = 0; k < 8; ++k) c = c & 1 ? 0xEDB88320 ^ c >> 1 : c >> 1;
      table[n] = c;
    }
    return table;
  }();
  uint32_t crc = 0xFFFFFFFF;
  for (const char byte : bytes) crc = kTable[(crc ^ static_cast<unsigned char>(byte)) & 0xFF] ^ crc >> 8;
  return ~crc;
}

uint32_t adler32(std::string_view bytes) {  // RFC 1950
  uint32_t a = 1, b = 0;
  for (const char byte : bytes) {
    a = (a + static_cast<unsigned char>(byte)) % 65521;
    b = (b + a) % 65521;
  }
  return b << 16 | a;
}

void append_chunk(std::string& png, std::string_view type, std::string_view content) {
  append_big_endian(png, static_cast<uint32_t>(content.size()));
  const std::string body = std::string(type) + std::string(content);
  png += body;
  append_big_endian(png, crc32(body));
}

// Zlib stream of stored blocks.
std::string stored(std::string_view bytes) {
  constexpr size_t kBlock = 65535;
  std::string stream = "\x78\x01";
  for (size_t from = 0; from < bytes.size(); from += kBlock) {
    const std::string_view block = bytes.substr(from, kBlock);
    const auto length = static_cast<uint16_t>(block.size());
    stream += from + kBlock >= bytes.size() ? '\x01' : '\x00';
    for (const uint16_t number : {length, static_cast<uint16_t>(~length)}) {
      stream += static_cast<char>(number & 0xFF);
      stream += static_cast<char>(number >> 8);
    }
    stream += block;
  }
  append_big_endian(stream, adler32(bytes));
  return stream;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t from = 0; from < bytes.size(); from += 3) {
    const std::string_view group = bytes.substr(from, 3);
    uint32_t bits = 0;
    for (size_t k = 0; k < 3; ++k) bits = bits << 8 | (k < group.size() ? static_cast<unsigned char>(group[k]) : 0);
    for (size_t k = 0; k < 4; ++k) text += k <= group.size() ? kLetters[bits >> (18 - 6 * k) & 0x3F] : '=';
  }
  return text;
}

}  // namespace

Picture reduced(const Picture& picture, int most) {
  const int factor = (std::max(picture.height, picture.width) + most - 1) / most;
  if (factor <= 1) return picture;
  Picture small{.height = picture.height / factor, .width = picture.width / factor};
  for (int y = 0; y < small.height; ++y) {
    for (int x = 0; x < small.width; ++x) {
      for (int c = 0; c < 3; ++c) {
        int sum = 0;
        for (int dy = 0; dy < factor; ++dy) {
          for (int dx = 0; dx < factor; ++dx) {
            sum += picture.rgb[(static_cast<size_t>(y * factor + dy) * picture.width + x * factor + dx) * 3 + c];
          }
        }
        small.rgb.push_back(static_cast<uint8_t>((sum + factor * factor / 2) / (factor * factor)));
      }
    }
  }
  return small;
}

Picture difference(const Picture& a, const Picture& b, int gain) {
  if (a.height != b.height || a.width != b.width) return {};
  Picture result{.height = a.height, .width = a.width};
  for (size_t k = 0; k < a.rgb.size(); ++k) {
    result.rgb.push_back(static_cast<uint8_t>(std::min(255, gain * std::abs(int{a.rgb[k]} - int{b.rgb[k]}))));
  }
  return result;
}

std::string png_data_uri(const Picture& picture) {
  std::string header;
  append_big_endian(header, static_cast<uint32_t>(picture.width));
  append_big_endian(header, static_cast<uint32_t>(picture.height));
  header += std::string("\x08\x02\x00\x00\x00", 5);  // 8 bits, RGB, deflate, filter method 0, not interlaced
  std::string rows;
  const size_t stride = static_cast<size_t>(picture.width) * 3;
  for (int y = 0; y < picture.height; ++y) {
    rows += '\0';  // filter: none
    rows.append(reinterpret_cast<const char*>(picture.rgb.data()) + y * stride, stride);
  }
  std::string png = "\x89PNG\r\n\x1a\n";
  append_chunk(png, "IHDR", header);
  append_chunk(png, "IDAT", stored(rows));
  append_chunk(png, "IEND", "");
  return "data:image/png;base64," + base64(png);
}

}  // namespace roundtrip::analysis
