#include "data/csv.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"

namespace roundtrip::data {
namespace {

class Parser {
 public:
  Parser(std::string_view text, const std::string& where) : text_(text), where_(where) {}

  std::vector<CsvRecord> parse() {
    while (at_ < text_.size()) {
      if (ends_line()) {
        take_line_end();
      } else {
        records_.push_back(record());
      }
    }
    return std::move(records_);
  }

 private:
  bool ends_line() const { return text_[at_] == '\n' || text_[at_] == '\r'; }

  void take_line_end() {
    if (text_.substr(at_).starts_with("\r\n")) ++at_;
    ++at_;
    ++line_;
  }

  CsvRecord record() {
    CsvRecord record{.fields = {}, .line = line_};
    while (true) {
      record.fields.push_back(at_ < text_.size() && text_[at_] == '"' ? quoted(record) : plain(record));
      if (at_ == text_.size()) return record;
      if (ends_line()) {
        take_line_end();
        return record;
      }
      ++at_;  // a comma
    }
  }

  std::string plain(const CsvRecord& record) {
    const size_t begin = at_;
    while (at_ < text_.size() && text_[at_] != ',' && !ends_line()) {
      if (text_[at_] == '"') {
        throw wrong(record, "a quote inside a field without quotes", "the field in quotes, its quotes doubled");
      }
      ++at_;
    }
    return std::string(text_.substr(begin, at_ - begin));
  }

  std::string quoted(const CsvRecord& record) {
    std::string field;
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '"') {
        if (!text_.substr(at_ + 1).starts_with('"')) break;
        ++at_;
      } else if (ends_line() && !text_.substr(at_).starts_with("\r\n")) {
        ++line_;
      }
      field += text_[at_];
    }
    if (at_ == text_.size()) throw wrong(record, "a quote without an end", "a closing quote");
    ++at_;
    if (at_ < text_.size() && text_[at_] != ',' && !ends_line()) {
      throw wrong(record, fmt::format("{} after a closing quote", name_text(text_.substr(at_, 1))),
                  "a comma or the end of the line");
    }
    return field;
  }

  Error wrong(const CsvRecord& record, const std::string& found, const char* expected) const {
    return input_error(fmt::format("{}:{}", where_, record.line),
                       fmt::format("field {}: {}", record.fields.size() + 1, found), expected);
  }

  std::string_view text_;
  const std::string& where_;
  size_t at_ = 0;
  int line_ = 1;
  std::vector<CsvRecord> records_;
};

}  // namespace

std::vector<CsvRecord> parse_csv(std::string_view text, const std::string& where) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);  // a byte order mark
  if (!is_utf8(text)) throw input_error(where, "is not UTF-8", "a table in UTF-8");
  return Parser(text, where).parse();
}

}  // namespace roundtrip::data
