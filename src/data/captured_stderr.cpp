#include "data/captured_stderr.h"

#include <array>
#include <cstdio>
#include <string_view>
#include <sys/mman.h>
#include <unistd.h>

#include "base/text.h"

namespace roundtrip::data {
namespace {

std::mutex& turns() {
  static std::mutex mutex;
  return mutex;
}

bool is_decoders(std::string_view line) {
  constexpr std::array<std::string_view, 15> kBeginnings = {"libpng ",   "Corrupt JPEG", "Premature end of ",
                                                            "Invalid ",  "Unsupported ", "Bogus ",
                                                            "Warning: ", "TIFF",         "OpenCV",
                                                            "imdecode",  "imread",       "[ WARN:",
                                                            "[ERROR:",   "[ INFO:",      "Inconsistent progression"};
  return starts_with_any(line, kBeginnings);
}

void print(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
    if (written <= 0) return;
    text.remove_prefix(static_cast<size_t>(written));
  }
}

}  // namespace

CapturedStderr::CapturedStderr() : turn_(turns()) {
  std::fflush(stderr);
  saved_ = ::dup(STDERR_FILENO);
  if (saved_ < 0) return;
  buffer_ = ::memfd_create("decoder messages", MFD_CLOEXEC);
  if (buffer_ >= 0) ::dup2(buffer_, STDERR_FILENO);
}

CapturedStderr::~CapturedStderr() { finish(); }

std::vector<std::string> CapturedStderr::finish() {
  std::vector<std::string> decoders;
  if (!turn_.owns_lock()) return decoders;
  std::string text;
  if (saved_ >= 0) {
    std::fflush(stderr);
    ::dup2(saved_, STDERR_FILENO);
    ::close(saved_);
  }
  if (buffer_ >= 0) {
    ::lseek(buffer_, 0, SEEK_SET);
    std::array<char, 4096> block;
    for (ssize_t count; (count = ::read(buffer_, block.data(), block.size())) > 0;) {
      text.append(block.data(), static_cast<size_t>(count));
    }
    ::close(buffer_);
  }
  std::string others;
  bool after_decoders = false;  // OpenCV ends what it quotes with an empty line
  for (size_t from = 0; from < text.size();) {
    const size_t newline = text.find('\n', from);
    const size_t end = newline == std::string::npos ? text.size() : newline + 1;
    const std::string_view line = std::string_view(text).substr(from, end - from);
    if (is_decoders(line)) {
      decoders.emplace_back(trim(line));
      after_decoders = true;
    } else if (!after_decoders || line != "\n") {
      others += line;
      after_decoders = false;
    }
    from = end;
  }
  print(others);
  turn_.unlock();
  return decoders;
}

}  // namespace roundtrip::data
