#include "model/safetensors.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <limits>
#include <span>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "model/disguise.h"

namespace roundtrip::model {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors data is little-endian and is not swapped");

constexpr uint64_t kLengthBytes = 8;
constexpr uint64_t kDisguiseBytes = 512;           // enough to tell what a file is instead
constexpr size_t kMaxDimensions = 16;              // some operations of ATen stop at 64; networks use up to 5
constexpr uint64_t kMaxHeaderBytes = 100'000'000;  // the limit of the reference implementation

struct Dtype {
  std::string_view name;
  at::ScalarType type;
  uint64_t bytes;
};

constexpr Dtype kDtypes[] = {
    {"F64", at::kDouble, 8}, {"F32", at::kFloat, 4}, {"F16", at::kHalf, 2},  {"BF16", at::kBFloat16, 2},
    {"I64", at::kLong, 8},   {"I32", at::kInt, 4},   {"I16", at::kShort, 2}, {"I8", at::kChar, 1},
    {"U8", at::kByte, 1},    {"BOOL", at::kBool, 1},
};

// A read-only view of a whole file, unmapped with its last user.
class Mapping {
 public:
  explicit Mapping(const std::filesystem::path& path) {
    const std::string where = path.string();
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) throw input_error(where, fmt::format("cannot be opened ({})", std::strerror(errno)));
    struct stat status{};
    if (::fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) {
      ::close(file);
      throw input_error(where, "not a file", "a safetensors file");
    }
    size_ = static_cast<uint64_t>(status.st_size);
    if (size_ > 0) data_ = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file, 0);
    const int failure = errno;
    ::close(file);  // the mapping stays
    if (data_ == MAP_FAILED) throw input_error(where, fmt::format("cannot be mapped ({})", std::strerror(failure)));
  }
  ~Mapping() {
    if (size_ > 0) ::munmap(data_, size_);
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  uint64_t size() const { return size_; }
  const char* data() const { return static_cast<const char*>(data_); }

  // Releases the whole pages of `bytes` bytes from `from` on: touching them reads the file again.
  void release(const char* from, uint64_t bytes) const {
    static const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
    const uintptr_t first = (reinterpret_cast<uintptr_t>(from) + page - 1) / page * page;
    const uintptr_t last = (reinterpret_cast<uintptr_t>(from) + bytes) / page * page;
    if (first < last) ::madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
  }

 private:
  void* data_ = nullptr;
  uint64_t size_ = 0;
};

// Reads one tensor's description; every message names the file and the tensor.
class EntryReader {
 public:
  EntryReader(std::string_view where, std::string_view name) : where_(where), name_(name) {}

  // `data_bytes` is the number of bytes after the header.
  SafetensorsFile::Entry read(const nlohmann::json& value, uint64_t data_bytes) const {
    if (!value.is_object()) fail(fmt::format("is {}", json_text(value)), "an object");
    for (const auto& item : value.items()) {
      if (item.key() != "dtype" && item.key() != "shape" && item.key() != "data_offsets") {
        fail(fmt::format("has a key {}", name_text(item.key())), "dtype, shape and data_offsets");
      }
    }
    const Dtype& dtype = read_dtype(member(value, "dtype"));
    SafetensorsFile::Entry entry{dtype.type, {}};
    const uint64_t bytes = read_shape(member(value, "shape"), dtype.bytes, entry.shape);
    const nlohmann::json& offsets = member(value, "data_offsets");
    if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() ||
        !offsets[1].is_number_unsigned()) {
      fail(fmt::format("has data_offsets {}", json_text(offsets)), "two whole numbers");
    }
    entry.from = offsets[0].get<uint64_t>();
    entry.to = offsets[1].get<uint64_t>();
    if (entry.from > entry.to || entry.to > data_bytes) {
      fail(fmt::format("has data_offsets {}", json_text(offsets)),
           fmt::format("an interval within the {} data bytes of the file", data_bytes));
    }
    if (entry.to - entry.from != bytes) {
      fail(fmt::format("has {} bytes of data", entry.to - entry.from),
           fmt::format("{} for {} {}", bytes, dtype.name, shape_text(entry.shape)));
    }
    return entry;
  }

 private:
  [[noreturn]] void fail(std::string_view found, std::string_view expected) const {
    throw input_error(where_, fmt::format("tensor {} {}", name_text(name_), found), expected);
  }

  const nlohmann::json& member(const nlohmann::json& value, const char* key) const {
    const auto found = value.find(key);
    if (found == value.end()) fail(fmt::format("has no {}", key), "dtype, shape and data_offsets");
    return *found;
  }

  const Dtype& read_dtype(const nlohmann::json& value) const {
    for (const Dtype& dtype : kDtypes) {
      if (value.is_string() && value.get_ref<const std::string&>() == dtype.name) return dtype;
    }
    fail(fmt::format("has dtype {}", json_text(value)), "F64, F32, F16, BF16, I64, I32, I16, I8, U8 or BOOL");
  }

  // Returns the number of data bytes that the shape requires.
  uint64_t read_shape(const nlohmann::json& value, uint64_t bytes, std::vector<int64_t>& shape) const {
    if (!value.is_array()) fail(fmt::format("has shape {}", json_text(value)), "a list of whole numbers");
    if (value.size() > kMaxDimensions) {
      fail(fmt::format("has {} dimensions", value.size()), fmt::format("at most {}", kMaxDimensions));
    }
    // Zeros are left out of the product, so that [2^40, 2^40, 0] is refused: its strides would wrap.
    bool empty = false;
    for (const nlohmann::json& size : value) {
      if (!size.is_number_unsigned()) {
        fail(fmt::format("has shape {}", json_text(value)), "a list of whole numbers");
      }
      const uint64_t n = size.get<uint64_t>();
      empty = empty || n == 0;
      if (n > 0 && bytes > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()) / n) {
        fail(fmt::format("has shape {}", json_text(value)), "fewer than 2^63 bytes");
      }
      if (n > 0) bytes *= n;
      shape.push_back(static_cast<int64_t>(n));
    }
    return empty ? 0 : bytes;
  }

  std::string_view where_, name_;
};

// Checks that the tensors tile the data: each starts where the previous one ends, and nothing is left over.
void check_tiling(std::string_view where, const SafetensorsFile::Entries& entries, uint64_t data_bytes) {
  std::vector<const SafetensorsFile::Entries::value_type*> in_order;
  for (const auto& entry : entries) in_order.push_back(&entry);
  std::ranges::sort(in_order, {}, [](const auto* entry) { return std::pair(entry->second.from, entry->second.to); });
  uint64_t end = 0;
  for (const auto* entry : in_order) {
    if (entry->second.from != end) {
      throw input_error(where, fmt::format("tensor {} starts at byte {}", name_text(entry->first), entry->second.from),
                        fmt::format("{}, where the tensor before it ends ({})", end,
                                    entry->second.from < end ? "tensors overlap" : "the data has a hole"));
    }
    end = entry->second.to;
  }
  if (end != data_bytes) {
    throw input_error(where, fmt::format("{} bytes follow the last tensor", data_bytes - end), "none");
  }
}

}  // namespace

struct SafetensorsFile::State {
  explicit State(const std::filesystem::path& path) : path(path), mapping(std::make_shared<const Mapping>(path)) {}

  std::filesystem::path path;
  std::shared_ptr<const Mapping> mapping;
  const char* data = nullptr;
  Entries entries;
  std::map<std::string, std::string> metadata;
};

SafetensorsFile SafetensorsFile::open(const std::filesystem::path& path) {
  const std::string where = path.string();
  auto state = std::make_shared<State>(path);
  const Mapping& mapping = *state->mapping;
  refuse_disguise({mapping.data(), std::min<uint64_t>(mapping.size(), kDisguiseBytes)}, where);
  if (mapping.size() < kLengthBytes) {
    throw input_error(where, fmt::format("{} bytes long", mapping.size()), "a safetensors file");
  }
  uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, mapping.data(), kLengthBytes);
  if (header_bytes > kMaxHeaderBytes) {
    throw input_error(where, fmt::format("the header claims {} bytes", header_bytes),
                      fmt::format("at most {}: not a safetensors file?", kMaxHeaderBytes));
  }
  if (header_bytes > mapping.size() - kLengthBytes) {
    throw input_error(
        where, fmt::format("the header claims {} bytes", header_bytes),
        fmt::format("at most the {} that follow: an incomplete download?", mapping.size() - kLengthBytes));
  }
  const std::string_view header_text(mapping.data() + kLengthBytes, header_bytes);
  if (!header_text.starts_with('{'))
    throw input_error(where, "the header is not a JSON object", "'{' as its first byte");
  const nlohmann::json header = parse_json(header_text, where);
  const uint64_t data_bytes = mapping.size() - kLengthBytes - header_bytes;
  state->data = mapping.data() + kLengthBytes + header_bytes;
  for (const auto& [name, value] : header.items()) {
    if (name != "__metadata__") {
      state->entries.emplace(name, EntryReader(where, name).read(value, data_bytes));
      continue;
    }
    if (!value.is_object()) throw input_error(where, "__metadata__ is not an object", "an object of texts");
    for (const auto& [key, text] : value.items()) {
      if (!text.is_string()) {
        throw input_error(where, fmt::format("__metadata__ {} is {}", name_text(key), json_text(text)), "a text");
      }
      state->metadata.emplace(key, text.get<std::string>());
    }
  }
  check_tiling(where, state->entries, data_bytes);
  return SafetensorsFile(std::move(state));
}

const std::filesystem::path& SafetensorsFile::path() const { return state_->path; }
const SafetensorsFile::Entries& SafetensorsFile::entries() const { return state_->entries; }
const std::map<std::string, std::string>& SafetensorsFile::metadata() const { return state_->metadata; }

void SafetensorsFile::release(std::string_view name) const {
  const auto found = state_->entries.find(name);
  if (found == state_->entries.end()) return;
  state_->mapping->release(state_->data + found->second.from, found->second.to - found->second.from);
}

at::Tensor SafetensorsFile::tensor(std::string_view name) const {
  const auto found = state_->entries.find(name);
  if (found == state_->entries.end()) {
    std::vector<std::string> names;
    for (const auto& entry : state_->entries) names.push_back(entry.first);
    throw input_error(state_->path.string(),
                      fmt::format("no tensor {}.{}", name_text(name), did_you_mean(name, names)));
  }
  const Entry& entry = found->second;
  if (entry.from == entry.to) return at::empty(entry.shape, at::dtype(entry.dtype));
  // ATen requires mutable memory and never writes to it unless told to.
  char* data = const_cast<char*>(state_->data) + entry.from;
  if (entry.dtype == at::kBool) {
    // A C++ bool is 0 or 1; a file's byte may be anything.
    return at::from_blob(data, entry.shape, at::dtype(at::kByte)).ne(0);
  }
  const size_t alignment = at::elementSize(entry.dtype);
  if (reinterpret_cast<uintptr_t>(data) % alignment != 0) {
    at::Tensor copy = at::empty(entry.shape, at::dtype(entry.dtype));
    std::memcpy(copy.data_ptr(), data, entry.to - entry.from);
    return copy;
  }
  return at::from_blob(data, entry.shape, [mapping = state_->mapping](void*) {}, at::dtype(entry.dtype));
}

}  // namespace roundtrip::model
