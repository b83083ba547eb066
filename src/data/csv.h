// Reader of comma-separated values as RFC 4180 writes them: fields in quotes may hold commas, line breaks and doubled
// quotes; a record ends with CR LF, LF or CR.
//
// Beyond the RFC: an empty line is not a record, and the bytes must be UTF-8. Other separators are not known.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace roundtrip::data {

struct CsvRecord {
  std::vector<std::string> fields;
  int line = 0;  // where it begins, from 1
};

// Throws kInput with "where:line" for a quote without an end, a quote inside a field without quotes, something after
// the closing quote, and text that is not UTF-8.
std::vector<CsvRecord> parse_csv(std::string_view text, const std::string& where);

}  // namespace roundtrip::data
