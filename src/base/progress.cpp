#include "base/progress.h"

#include <algorithm>
#include <sys/ioctl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/text.h"

namespace roundtrip {
namespace {

int columns_of(std::FILE* out) {
  winsize size{};
  return ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

Progress::Progress(std::FILE* out, int64_t total, double plain_seconds)
    : out_(out), total_(std::max<int64_t>(total, 1)), terminal_(isatty(fileno(out)) == 1) {
  interval_ = terminal_ ? 0.2 : plain_seconds;
}

Progress::~Progress() { finish(); }

std::string Progress::state_of(int64_t done, const std::string& text) const {
  const double part = std::min(1.0, static_cast<double>(done) / static_cast<double>(total_));
  const double elapsed = stopwatch_.seconds();
  const std::string eta = part > 0.002 ? seconds_text(elapsed * (1 - part) / part) : "?";
  if (!terminal_)
    return fmt::format("{:3.0f} %  {}  {} so far, {} to go", 100 * part, text, seconds_text(elapsed), eta);
  constexpr int kWidth = 24;
  const int filled = static_cast<int>(part * kWidth);
  std::string bar;
  for (int k = 0; k < kWidth; ++k) bar += k < filled ? "█" : "░";
  return fmt::format("{} {:3.0f} %  {}  ETA {}", bar, 100 * part, text, eta);
}

void Progress::clear() {
  if (terminal_ && visible_) std::fputs("\r\x1b[2K", out_);
  visible_ = false;
}

void Progress::update(int64_t done, const std::string& text) {
  const double now = stopwatch_.seconds();
  const bool first = last_.empty();
  last_ = state_of(done, text);
  if (!(first && terminal_) && now - shown_at_ < interval_) return;
  shown_at_ = now;
  clear();
  if (terminal_) {
    // Each of the bar's 24 cells takes three bytes: 2 * 24 more bytes than columns.
    const size_t room = static_cast<size_t>(std::max(20, columns_of(out_) - 1)) + 48;
    std::fputs(last_.substr(0, std::min(last_.size(), room)).c_str(), out_);
    visible_ = true;
  } else {
    std::fprintf(out_, "%s\n", last_.c_str());
  }
  std::fflush(out_);
}

void Progress::line(const std::string& text) {
  clear();
  std::fprintf(out_, "%s\n", text.c_str());
  std::fflush(out_);
}

void Progress::finish() {
  if (finished_) return;
  finished_ = true;
  clear();
  if (terminal_ && !last_.empty()) std::fprintf(out_, "%s\n", last_.c_str());
  std::fflush(out_);
}

}  // namespace roundtrip
