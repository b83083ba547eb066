#include "store/hdf5_calls.h"

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace roundtrip::store::hdf5 {
namespace {

// The innermost entry of the error stack is nearest the cause; if it contains the system's message, that is all a
// reader needs.
std::string reason() {
  std::string text = "unknown";
  const auto visit = [](unsigned depth, const H5E_error2_t* entry, void* out) -> herr_t {
    if (depth == 0 && entry->desc) *static_cast<std::string*>(out) = entry->desc;
    return 0;
  };
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, visit, &text);
  H5Eclear2(H5E_DEFAULT);
  constexpr std::string_view kMark = "error message = '";
  if (const size_t at = text.find(kMark); at != std::string::npos) {
    const size_t start = at + kMark.size();
    return text.substr(start, text.find('\'', start) - start);
  }
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

}  // namespace

void fail(const std::string& where, std::string_view what) {
  throw Error(ErrorKind::kInput, fmt::format("{}: {}: {}", where, what, reason()));
}

Handle own(hid_t id, const std::string& where, std::string_view what) {
  if (id < 0) fail(where, what);
  return Handle(id);
}

void require(herr_t status, const std::string& where, std::string_view what) {
  if (status < 0) fail(where, what);
}

Handle text_type(size_t length, H5T_cset_t charset) {
  Handle type = own(H5Tcopy(H5T_C_S1), "hdf5", "cannot make a text type");
  require(H5Tset_size(type.id(), length), "hdf5", "cannot size a text type");
  require(H5Tset_cset(type.id(), charset), "hdf5", "cannot set a charset");
  return type;
}

int64_t size_of(Element element) {
  switch (element) {
    case Element::kUint8:
      return 1;
    case Element::kFloat32:
      return 4;
    case Element::kFloat64:
    case Element::kInt64:
      return 8;
    case Element::kText:
      return 16;  // a reference in the chunk; the text is in a heap
  }
  throw Error(ErrorKind::kInternal, "unknown HDF5 element type");
}

Handle& Handle::operator=(Handle&& other) noexcept {
  if (this != &other) {
    if (id_ >= 0) H5Idec_ref(id_);
    id_ = other.release();
  }
  return *this;
}

Handle::~Handle() {
  if (id_ >= 0) H5Idec_ref(id_);
}

int64_t Handle::release() { return std::exchange(id_, -1); }

}  // namespace roundtrip::store::hdf5
