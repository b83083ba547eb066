#include "hydra/tree/yaml_source.h"

#include <algorithm>

#include "base/text.h"

namespace roundtrip::hydra {

Error yaml_error(std::string_view text, const Mark& mark, std::string_view what) {
  std::string details;
  size_t from = 0;
  for (int line = 1; line < mark.line && from != std::string_view::npos; ++line) {
    from = text.find('\n', from);
    if (from != std::string_view::npos) ++from;
  }
  constexpr size_t kMaxLine = 160;
  if (from < text.size()) {
    const std::string_view line = text.substr(from, text.find_first_of("\r\n", from) - from);
    if (!line.empty() && line.size() <= kMaxLine) {
      details = fmt::format("  {}\n  {}^", line, std::string(static_cast<size_t>(std::max(mark.column - 1, 0)), ' '));
    }
  }
  return Error(ErrorKind::kParse, fmt::format("{}:{}:{}: {}", *mark.file, mark.line, mark.column, what), details);
}

void check_bytes(std::string_view text, const std::shared_ptr<const std::string>& file, size_t max_bytes) {
  if (text.size() > max_bytes) {
    throw Error(ErrorKind::kParse,
                fmt::format("{}: {} long; expected at most {}", *file, bytes_text(static_cast<double>(text.size())),
                            bytes_text(static_cast<double>(max_bytes))));
  }
  Mark mark{file, 1, 0};
  size_t line_start = 0;
  for (size_t k = 0; k < text.size(); ++k) {
    const auto c = static_cast<unsigned char>(text[k]);
    if (c == '\n') {
      ++mark.line;
      line_start = k + 1;
    } else if ((c < 0x20 && c != '\t' && c != '\r') || c == 0x7f) {
      mark.column = static_cast<int>(k - line_start) + 1;
      throw Error(ErrorKind::kParse, fmt::format("{}:{}:{}: found the control character 0x{:02x}; expected text", *file,
                                                 mark.line, mark.column, c));
    }
  }
  if (!is_utf8(text)) throw Error(ErrorKind::kParse, fmt::format("{}: not UTF-8 text", *file));
}

std::string with_encoded_escapes(const std::string& value) {
  if (is_utf8(value)) return value;
  std::string out;
  for (size_t k = 0; k < value.size();) {
    const auto c = static_cast<unsigned char>(value[k]);
    // As many bytes as a sequence of UTF-8 has: an escape may follow right after it.
    const size_t length = c < 0xC0 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
    if (c >= 0x80 && length == 1) out += "\xC2";
    out += value.substr(k, length);
    k += length;
  }
  return out;
}

void YamlSource::check_scalar(size_t at, bool is_tagged, const std::string& value, bool in_flow, const Mark& mark) {
  at = content_start(at);
  if (at >= text_.size()) return;
  const char first = text_[at];
  if (is_tagged && (first == '\'' || first == '"')) {
    const size_t close = closing_quote(at);
    if (close == std::string_view::npos) throw yaml_error(text_, mark, "found a quote that is not closed");
    verbatim_.push_back({at, close + 1});
  } else if (first == '|' || first == '>') {
    check_block_header(at, mark);
    verbatim_.push_back({at, text_.size()});  // until end_block_scalar()
  } else if (!is_tagged && value.starts_with(':') && in_flow) {
    throw yaml_error(text_, mark, "found a ':' without a key before it");
  }
}

void YamlSource::check_block_header(size_t at, const Mark& mark) const {
  const size_t behind = std::min(text_.find_first_not_of("+-123456789", at + 1), text_.size());
  const size_t rest = std::min(text_.find_first_not_of(' ', behind), text_.size());
  if (rest == text_.size() || text_[rest] == '\n' || text_[rest] == '\r') return;
  if (text_[rest] != '#' || rest == behind)
    throw yaml_error(text_, mark, "found text behind the start of a block scalar");
}

bool YamlSource::has_tag(size_t at) const {
  at = content_start(at, "&");
  return at < text_.size() && text_[at] == '!';
}

size_t YamlSource::content_start(size_t at, std::string_view marks) const {
  while (at < text_.size() && marks.find(text_[at]) != std::string_view::npos) {
    at = std::min(text_.find_first_of(" \t\r\n", at), text_.size());
    at = std::min(text_.find_first_not_of(" \t\r\n", at), text_.size());
  }
  return at;
}

size_t YamlSource::closing_quote(size_t at) const {
  const char quote = text_[at];
  for (size_t k = at + 1; k < text_.size(); ++k) {
    if (quote == '"' && text_[k] == '\\') {
      ++k;
    } else if (text_[k] == quote) {
      if (quote == '"' || k + 1 == text_.size() || text_[k + 1] != quote) return k;
      ++k;
    }
  }
  return std::string_view::npos;
}

void YamlSource::end_block_scalar(size_t at) {
  if (!verbatim_.empty() && verbatim_.back().to > at) verbatim_.back().to = at;
}

void YamlSource::check_tabs() const {
  Mark mark{file_, 1, 0};
  size_t line_start = 0, span = 0;
  bool in_comment = false;
  for (size_t k = 0; k < text_.size(); ++k) {
    while (span < verbatim_.size() && verbatim_[span].to <= k) ++span;
    const bool in_span = span < verbatim_.size() && verbatim_[span].from <= k;
    const char c = text_[k];
    if (c == '\n') {
      ++mark.line;
      line_start = k + 1;
      in_comment = false;
    } else if (c == '#' && !in_span && (k == line_start || text_[k - 1] == ' ')) {
      in_comment = true;
    } else if (c == '\t' && !in_span && !in_comment) {
      mark.column = static_cast<int>(k - line_start) + 1;
      throw yaml_error(text_, mark, "found a tab; outside quotes use blanks");
    }
  }
}

}  // namespace roundtrip::hydra
