// Reading and writing HDF5 datasets.
#include <algorithm>
#include <array>

#include <hdf5.h>
#include <hdf5_hl.h>

#include "base/error.h"
#include "store/hdf5.h"
#include "store/hdf5_calls.h"

namespace roundtrip::store::hdf5 {
namespace {

constexpr int64_t kMaxDeflateRatio = 1100;  // deflate packs 1032:1 at best; more is a hostile header

}  // namespace

Element Dataset::element() const {
  const Handle type = own(H5Dget_type(id()), where_, "cannot see its type");
  const size_t size = H5Tget_size(type.id());
  switch (H5Tget_class(type.id())) {
    case H5T_FLOAT:
      if (size == 8) return Element::kFloat64;
      if (size == 4) return Element::kFloat32;
      break;
    case H5T_INTEGER:
      if (size == 8 && H5Tget_sign(type.id()) == H5T_SGN_2) return Element::kInt64;
      if (size == 1 && H5Tget_sign(type.id()) == H5T_SGN_NONE) return Element::kUint8;
      break;
    case H5T_STRING:
      if (H5Tis_variable_str(type.id()) > 0) return Element::kText;
      break;
    default:
      break;
  }
  throw input_error(where_, "unknown type of data", "float64, float32, int64, uint8 or UTF-8 text of variable length");
}

std::vector<int64_t> Dataset::shape() const {
  const Handle space = own(H5Dget_space(id()), where_, "cannot see its shape");
  const int rank = H5Sget_simple_extent_ndims(space.id());
  if (rank < 0) throw input_error(where_, "not a simple shape");
  std::array<hsize_t, H5S_MAX_RANK> extents;
  H5Sget_simple_extent_dims(space.id(), extents.data(), nullptr);
  return {extents.begin(), extents.begin() + rank};
}

// A header may promise any number of elements; memory is allocated only for as many as the stored bytes can contain.
void Dataset::check_stored(int64_t count) const {
  const auto stored = static_cast<int64_t>(H5Dget_storage_size(id()));
  if (count / kMaxDeflateRatio > stored || (count > 0 && stored == 0)) {
    throw input_error(where_, fmt::format("{} elements promised, {} bytes stored", count, stored));
  }
}

void Dataset::access(int64_t first, size_t count, int64_t memory_type, void* into, const void* from) const {
  if (count == 0) return;
  const hsize_t start = first, extent = count;
  const Handle memory(H5Screate_simple(1, &extent, nullptr)), stored = own(H5Dget_space(id()), where_, "no shape");
  require(H5Sselect_hyperslab(stored.id(), H5S_SELECT_SET, &start, nullptr, &extent, nullptr), where_,
          "cannot select rows");
  if (into) {
    require(H5Dread(id(), memory_type, memory.id(), stored.id(), H5P_DEFAULT, into), where_, "cannot read");
  } else {
    require(H5Dwrite(id(), memory_type, memory.id(), stored.id(), H5P_DEFAULT, from), where_, "cannot write");
  }
}

void Dataset::write(int64_t first, std::span<const double> values) {
  access(first, values.size(), H5T_NATIVE_DOUBLE, nullptr, values.data());
}

void Dataset::write(int64_t first, std::span<const int64_t> values) {
  access(first, values.size(), H5T_NATIVE_INT64, nullptr, values.data());
}

void Dataset::write(int64_t first, std::span<const std::string> values) {
  std::vector<const char*> pointers;
  pointers.reserve(values.size());
  for (const std::string& value : values) pointers.push_back(value.c_str());
  write(first, std::span<const char* const>(pointers));
}

void Dataset::write(int64_t first, std::span<const char* const> values) {
  access(first, values.size(), text_type().id(), nullptr, values.data());
}

std::vector<double> Dataset::read_numbers(int64_t first, int64_t count) const {
  check_stored(count);
  std::vector<double> values(count);
  access(first, values.size(), H5T_NATIVE_DOUBLE, values.data(), nullptr);
  return values;
}

std::vector<int64_t> Dataset::read_integers(int64_t first, int64_t count) const {
  check_stored(count);
  std::vector<int64_t> values(count);
  access(first, values.size(), H5T_NATIVE_INT64, values.data(), nullptr);
  return values;
}

Texts Dataset::read_texts(int64_t first, int64_t count) const {
  check_stored(count);
  if (count == 0) return Texts(0);
  const Handle stored = own(H5Dget_space(id()), where_, "no shape");
  const hsize_t start = first, extent = count;
  require(H5Sselect_hyperslab(stored.id(), H5S_SELECT_SET, &start, nullptr, &extent, nullptr), where_,
          "cannot select rows");
  return read_selected_texts(stored, count);
}

Texts Dataset::read_texts_at(std::span<const int64_t> rows) const {
  if (rows.empty()) return Texts(0);
  const int64_t length = shape().at(0);
  const auto is_there = [&](int64_t row) { return 0 <= row && row < length; };
  if (!std::ranges::all_of(rows, is_there)) throw input_error(where_, "a row out of range");
  const Handle stored = own(H5Dget_space(id()), where_, "no shape");
  const std::vector<hsize_t> points(rows.begin(), rows.end());
  require(H5Sselect_elements(stored.id(), H5S_SELECT_SET, points.size(), points.data()), where_, "cannot select rows");
  return read_selected_texts(stored, rows.size());
}

Texts Dataset::read_selected_texts(const Handle& selection, size_t count) const {
  const Handle stored = own(H5Dget_type(id()), where_, "cannot see its type");
  const Handle type = text_type(H5T_VARIABLE, H5Tget_cset(stored.id()));
  const hsize_t extent = count;
  const Handle memory(H5Screate_simple(1, &extent, nullptr)), transfer(H5Pcreate(H5P_DATASET_XFER));
  Texts texts(count);
  const auto take = [](size_t size, void* of) -> void* { return static_cast<Texts*>(of)->room(size); };
  const auto leave = [](void*, void*) {};  // freed together with `texts`
  require(H5Pset_vlen_mem_manager(transfer.id(), take, &texts, leave, nullptr), where_, "cannot place texts");
  require(H5Dread(id(), type.id(), memory.id(), selection.id(), transfer.id(), texts.places()), where_, "cannot read");
  return texts;
}

void Dataset::write_bytes(std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  const hid_t type = element() == Element::kFloat32 ? H5T_NATIVE_FLOAT : H5T_NATIVE_UINT8;
  require(H5Dwrite(id(), type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data()), where_, "cannot write");
}

std::vector<std::byte> Dataset::read_bytes() const {
  const Element kind = element();
  if (kind != Element::kFloat32 && kind != Element::kUint8)
    throw input_error(where_, "not an array", "float32 or uint8");
  const Handle space = own(H5Dget_space(id()), where_, "cannot see its shape");
  const int64_t count = H5Sget_simple_extent_npoints(space.id());
  check_stored(count);
  std::vector<std::byte> bytes(count * size_of(kind));
  const hid_t type = kind == Element::kFloat32 ? H5T_NATIVE_FLOAT : H5T_NATIVE_UINT8;
  if (count > 0) require(H5Dread(id(), type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data()), where_, "cannot read");
  return bytes;
}

void Dataset::make_scale(const std::string& name) {
  require(H5DSset_scale(id(), name.c_str()), where_, "cannot make it a dimension scale");
}

void Dataset::attach_scale(const Dataset& scale) {
  require(H5DSattach_scale(id(), scale.id(), 0), where_, "cannot attach its dimension scale");
}

}  // namespace roundtrip::store::hdf5
