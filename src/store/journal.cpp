#include "store/journal.h"

#include <nlohmann/json.hpp>

#include "base/error.h"

namespace roundtrip::store {
namespace {

constexpr std::string_view kHead = R"({"record":)", kCheck = R"(,"check":")", kTail = R"("})";
constexpr size_t kCheckDigits = 16;

// The rest of a line after the inner object.
std::string end_of(std::string_view entry) { return fmt::format("{}{}{}", kCheck, checksum(entry), kTail); }

// The inner object of a whole line, or nothing.
std::optional<std::string_view> entry_of(std::string_view line) {
  constexpr size_t kEnd = kCheck.size() + kCheckDigits + kTail.size();
  if (line.size() < kHead.size() + kEnd || !line.starts_with(kHead)) return std::nullopt;
  const std::string_view entry = line.substr(kHead.size(), line.size() - kHead.size() - kEnd);
  if (line.substr(line.size() - kEnd) != end_of(entry)) return std::nullopt;
  return entry;
}

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

JournalPaths::JournalPaths(const std::filesystem::path& directory, int64_t number)
    : lines(directory / fmt::format("{:04}.jsonl", number)), arrays(directory / fmt::format("{:04}.arrays", number)) {}

JournalWriter::JournalWriter(const JournalPaths& paths) : lines_(paths.lines), arrays_(paths.arrays) {
  sync_directory(paths.lines.parent_path());
}

std::vector<ArrayReference> JournalWriter::append(const Record& record, std::span<const ArrayView> arrays) {
  std::vector<ArrayReference> references;
  for (const ArrayView& array : arrays) {
    references.push_back({.path = array.path,
                          .type = array.type,
                          .shape = array.shape,
                          .offset = arrays_.size(),
                          .size = static_cast<int64_t>(array.bytes.size()),
                          .check = checksum(as_text(array.bytes))});
    arrays_.append(array.bytes);
  }
  line_ = kHead;
  encode_entry(record, references, line_);
  line_ += end_of(std::string_view(line_).substr(kHead.size()));
  line_ += '\n';
  if (arrays_.dirty() || !waiting_.empty()) {
    waiting_ += line_;
  } else {
    lines_.append(line_);
  }
  return references;
}

void JournalWriter::sync() {
  arrays_.sync();
  lines_.append(waiting_);
  waiting_.clear();
  lines_.sync();
  since_sync_ = Stopwatch();
}

void JournalWriter::sync_if_due(double seconds) {
  if (since_sync_.seconds() >= seconds) sync();
}

JournalReader::JournalReader(const JournalPaths& paths)
    : arrays_path_(paths.arrays), lines_(paths.lines, std::ios::binary), arrays_(paths.arrays, std::ios::binary) {
  std::error_code missing;
  const auto size = std::filesystem::file_size(paths.arrays, missing);
  array_bytes_ = missing ? 0 : static_cast<int64_t>(size);
}

std::optional<JournalEntry> JournalReader::next() {
  std::string line;
  while (std::getline(lines_, line)) {
    if (std::optional<JournalEntry> entry = parse(line)) return entry;
    ++ignored_lines_;
    ignored_bytes_ += static_cast<int64_t>(line.size()) + (lines_.eof() ? 0 : 1);
  }
  return std::nullopt;
}

std::optional<JournalEntry> JournalReader::parse(const std::string& line) {
  const std::optional<std::string_view> text = entry_of(line);
  if (!text) return std::nullopt;
  try {
    JournalEntry entry = decode_entry(*text);
    for (const ArrayReference& array : entry.arrays) {
      if (!holds(array)) return std::nullopt;
    }
    return entry;
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

bool JournalReader::holds(const ArrayReference& array) {
  const bool inside =
      array.offset >= 0 && array.size >= 0 && array.size <= array_bytes_ && array.offset <= array_bytes_ - array.size;
  return inside && checksum(as_text(read(array))) == array.check;
}

std::vector<std::byte> JournalReader::bytes_of(const ArrayReference& array) {
  std::vector<std::byte> bytes = read(array);
  if (checksum(as_text(bytes)) != array.check) {
    throw input_error(arrays_path_.string(), fmt::format("{} has changed since it was written", array.path));
  }
  return bytes;
}

std::vector<std::byte> JournalReader::read(const ArrayReference& array) {
  std::vector<std::byte> bytes(array.size);
  arrays_.clear();
  arrays_.seekg(array.offset);
  arrays_.read(reinterpret_cast<char*>(bytes.data()), array.size);
  return bytes;
}

}  // namespace roundtrip::store
