#include "store/hdf5.h"

#include <algorithm>
#include <array>
#include <utility>

#include <hdf5.h>
#include <hdf5_hl.h>

#include "base/error.h"

namespace roundtrip::store::hdf5 {
namespace {

static_assert(sizeof(hid_t) == sizeof(int64_t), "ids cross the header as int64_t");

constexpr int kGzipLevel = 4;
constexpr int64_t kChunkBytes = 1 << 20;
constexpr int64_t kChunkRows = 8192;  // of a column: 64 KiB of numbers
constexpr size_t kChunkCacheBytes = 256 << 10;
constexpr int64_t kDeflateAtMost = 1100;  // deflate packs 1032:1 at best; more is a hostile header

// The innermost entry of the error stack is nearest the cause; where it carries the system's message, that is
// all a person needs of it.
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

[[noreturn]] void fail(const std::string& where, std::string_view what) {
  throw Error(ErrorKind::kInput, fmt::format("{}: {}: {}", where, what, reason()));
}

Handle own(hid_t id, const std::string& where, std::string_view what) {
  if (id < 0) fail(where, what);
  return Handle(id);
}

void require(herr_t status, const std::string& where, std::string_view what) {
  if (status < 0) fail(where, what);
}

std::string below(const std::string& where, const std::string& name) {
  return where.ends_with('/') ? where + name : where + "/" + name;
}

// A text of variable length, or of `length` bytes.
Handle text_type(size_t length = H5T_VARIABLE, H5T_cset_t charset = H5T_CSET_UTF8) {
  Handle type = own(H5Tcopy(H5T_C_S1), "hdf5", "cannot make a text type");
  require(H5Tset_size(type.id(), length), "hdf5", "cannot size a text type");
  require(H5Tset_cset(type.id(), charset), "hdf5", "cannot set a charset");
  return type;
}

Handle file_type(Element element) {
  switch (element) {
    case Element::kFloat64:
      return Handle(H5Tcopy(H5T_IEEE_F64LE));
    case Element::kFloat32:
      return Handle(H5Tcopy(H5T_IEEE_F32LE));
    case Element::kInt64:
      return Handle(H5Tcopy(H5T_STD_I64LE));
    case Element::kUint8:
      return Handle(H5Tcopy(H5T_STD_U8LE));
    case Element::kText:
      return text_type();
  }
  throw Error(ErrorKind::kInternal, "an HDF5 element of no known type");
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
      return 16;  // what lies in the chunk; the text is in a heap
  }
  throw Error(ErrorKind::kInternal, "an HDF5 element of no known type");
}

Handle scalar_space() { return own(H5Screate(H5S_SCALAR), "hdf5", "cannot make a scalar"); }

Handle group_properties(hid_t of_class) {
  Handle properties = own(H5Pcreate(of_class), "hdf5", "cannot make properties");
  require(H5Pset_obj_track_times(properties.id(), false), "hdf5", "cannot switch object times off");
  require(H5Pset_link_creation_order(properties.id(), H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED), "hdf5",
          "cannot track the order of links");
  return properties;
}

// Chunks of about a mebibyte, whole along the trailing dimensions where those fit.
std::vector<hsize_t> chunk_shape(Element element, std::span<const int64_t> shape) {
  std::vector<hsize_t> chunk(shape.begin(), shape.end());
  if (chunk.size() == 1) {
    chunk[0] = std::min<hsize_t>(chunk[0], element == Element::kUint8 ? kChunkBytes : kChunkRows);
    return chunk;
  }
  const auto bytes = [&] {
    hsize_t product = size_of(element);
    for (const hsize_t extent : chunk) product *= extent;
    return product;
  };
  for (hsize_t& extent : chunk) {
    while (extent > 1 && bytes() > static_cast<hsize_t>(kChunkBytes)) extent = (extent + 1) / 2;
  }
  return chunk;
}

Handle dataset_properties(Element element, std::span<const int64_t> shape) {
  Handle properties = own(H5Pcreate(H5P_DATASET_CREATE), "hdf5", "cannot make properties");
  require(H5Pset_obj_track_times(properties.id(), false), "hdf5", "cannot switch object times off");
  // Filters need chunks, and chunks of nothing cannot be.
  if (shape.empty() || std::ranges::find(shape, 0) != shape.end()) return properties;
  const std::vector<hsize_t> chunk = chunk_shape(element, shape);
  require(H5Pset_chunk(properties.id(), static_cast<int>(chunk.size()), chunk.data()), "hdf5", "cannot chunk");
  require(H5Pset_shuffle(properties.id()), "hdf5", "cannot shuffle");
  require(H5Pset_deflate(properties.id(), kGzipLevel), "hdf5", "cannot compress");
  // HDF5 refuses checksums on texts of variable length: their chunks hold places in a heap.
  if (element != Element::kText) require(H5Pset_fletcher32(properties.id()), "hdf5", "cannot checksum");
  return properties;
}

void silence() { H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr); }  // HDF5 keeps this per thread: so at every file

Handle file_access(size_t cache_bytes) {
  Handle access = own(H5Pcreate(H5P_FILE_ACCESS), "hdf5", "cannot make properties");
  require(H5Pset_fclose_degree(access.id(), H5F_CLOSE_STRONG), "hdf5", "cannot set the close degree");
  // The format of 1.10 has checksums on headers and indices; older ones crash the library where a byte is
  // wrong.
  require(H5Pset_libver_bounds(access.id(), H5F_LIBVER_V110, H5F_LIBVER_V110), "hdf5", "cannot set the format");
  // Rows are walked in order: a chunk or two per dataset and few headers are all that is needed again. HDF5's
  // own limits (1 MiB a dataset, 32 MiB a file, kept in lists when freed) let memory grow with the number of
  // rows.
  require(H5Pset_cache(access.id(), 0, 521, kChunkCacheBytes, 1.0), "hdf5", "cannot limit the chunk cache");
  H5AC_cache_config_t cache = {};
  cache.version = H5AC__CURR_CACHE_CONFIG_VERSION;
  require(H5Pget_mdc_config(access.id(), &cache), "hdf5", "cannot see the metadata cache");
  cache.set_initial_size = true;
  cache.initial_size = cache.min_size = cache.max_size = cache_bytes;
  cache.incr_mode = H5C_incr__off;
  cache.flash_incr_mode = H5C_flash_incr__off;
  cache.decr_mode = H5C_decr__off;
  require(H5Pset_mdc_config(access.id(), &cache), "hdf5", "cannot limit the metadata cache");
#if H5_VERSION_GE(1, 10, 7)
  // Network file systems often have no locks. Ours are whole files that nobody changes, so none is needed.
  require(H5Pset_file_locking(access.id(), true, /*ignore_when_disabled=*/true), "hdf5", "cannot relax locking");
#endif
  return access;
}

std::vector<std::string> attribute_names(const Object& object) {
  std::vector<std::string> names;
  const auto visit = [](hid_t, const char* name, const H5A_info_t*, void* out) -> herr_t {
    static_cast<std::vector<std::string>*>(out)->emplace_back(name);
    return 0;
  };
  hsize_t position = 0;
  require(H5Aiterate2(object.id(), H5_INDEX_NAME, H5_ITER_INC, &position, visit, &names), object.where(),
          "cannot list attributes");
  return names;
}

bool is_one_text(hid_t attribute) {
  const Handle type(H5Aget_type(attribute)), space(H5Aget_space(attribute));
  return H5Tget_class(type.id()) == H5T_STRING && H5Sget_simple_extent_npoints(space.id()) == 1;
}

std::string read_text(hid_t attribute, const std::string& where) {
  const Handle stored(H5Aget_type(attribute));
  if (H5Tis_variable_str(stored.id()) > 0) {
    const Handle type = text_type(H5T_VARIABLE, H5Tget_cset(stored.id()));
    char* text = nullptr;
    require(H5Aread(attribute, type.id(), &text), where, "cannot read");
    std::string copy = text ? text : "";
    H5free_memory(text);
    return copy;
  }
  std::string text(H5Tget_size(stored.id()), '\0');
  require(H5Aread(attribute, stored.id(), text.data()), where, "cannot read");
  return text.substr(0, text.find('\0'));
}

}  // namespace

// --- Handle, Object

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

void Object::set_attribute(const std::string& name, std::string_view text) {
  const std::string terminated(text);
  const char* const pointer = terminated.c_str();
  const Handle type = text_type(), space = scalar_space();
  const Handle attribute = own(H5Acreate2(id(), name.c_str(), type.id(), space.id(), H5P_DEFAULT, H5P_DEFAULT), where_,
                               fmt::format("cannot make the attribute '{}'", name));
  require(H5Awrite(attribute.id(), type.id(), &pointer), where_, fmt::format("cannot write '{}'", name));
}

void Object::set_attribute(const std::string& name, int64_t value) {
  const Handle space = scalar_space();
  const Handle attribute = own(H5Acreate2(id(), name.c_str(), H5T_STD_I64LE, space.id(), H5P_DEFAULT, H5P_DEFAULT),
                               where_, fmt::format("cannot make the attribute '{}'", name));
  require(H5Awrite(attribute.id(), H5T_NATIVE_INT64, &value), where_, fmt::format("cannot write '{}'", name));
}

void Object::set_fixed_attribute(const std::string& name, std::string_view text) {
  const std::string terminated(text);
  const Handle type = text_type(terminated.size() + 1, H5T_CSET_ASCII), space = scalar_space();
  const Handle attribute = own(H5Acreate2(id(), name.c_str(), type.id(), space.id(), H5P_DEFAULT, H5P_DEFAULT), where_,
                               fmt::format("cannot make the attribute '{}'", name));
  require(H5Awrite(attribute.id(), type.id(), terminated.c_str()), where_, fmt::format("cannot write '{}'", name));
}

bool Object::has_attribute(const std::string& name) const { return H5Aexists(id(), name.c_str()) > 0; }

std::string Object::text_attribute(const std::string& name) const {
  const Handle attribute =
      own(H5Aopen(id(), name.c_str(), H5P_DEFAULT), where_, fmt::format("no attribute '{}'", name));
  if (!is_one_text(attribute.id())) throw input_error(where_, fmt::format("attribute '{}' is no text", name));
  return read_text(attribute.id(), where_);
}

int64_t Object::integer_attribute(const std::string& name) const {
  const Handle attribute =
      own(H5Aopen(id(), name.c_str(), H5P_DEFAULT), where_, fmt::format("no attribute '{}'", name));
  const Handle type(H5Aget_type(attribute.id())), space(H5Aget_space(attribute.id()));
  if (H5Tget_class(type.id()) != H5T_INTEGER || H5Sget_simple_extent_npoints(space.id()) != 1) {
    throw input_error(where_, fmt::format("attribute '{}' is no integer", name));
  }
  int64_t value = 0;
  require(H5Aread(attribute.id(), H5T_NATIVE_INT64, &value), where_, fmt::format("cannot read '{}'", name));
  return value;
}

std::map<std::string, std::string> Object::text_attributes() const {
  std::map<std::string, std::string> texts;
  for (const std::string& name : attribute_names(*this)) {
    const Handle attribute = own(H5Aopen(id(), name.c_str(), H5P_DEFAULT), where_, "cannot open an attribute");
    if (is_one_text(attribute.id())) texts[name] = read_text(attribute.id(), where_);
  }
  return texts;
}

// --- Dataset

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
  if (rank < 0) throw input_error(where_, "no simple shape");
  std::array<hsize_t, H5S_MAX_RANK> extents;
  H5Sget_simple_extent_dims(space.id(), extents.data(), nullptr);
  return {extents.begin(), extents.begin() + rank};
}

// A header may promise any number of elements; memory is taken only for as many as the stored bytes can hold.
void Dataset::check_stored(int64_t count) const {
  const auto stored = static_cast<int64_t>(H5Dget_storage_size(id()));
  if (count / kDeflateAtMost > stored || (count > 0 && stored == 0)) {
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
  if (!std::ranges::all_of(rows, is_there)) throw input_error(where_, "a row that is not there");
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
  const auto leave = [](void*, void*) {};  // all of them go together
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
  if (kind != Element::kFloat32 && kind != Element::kUint8) throw input_error(where_, "no array", "float32 or uint8");
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

// --- Group, File

bool Group::has(const std::string& name) const { return H5Lexists(id(), name.c_str(), H5P_DEFAULT) > 0; }

bool Group::is_group(const std::string& name) const {
  H5O_info_t info;
  return H5Oget_info_by_name2(id(), name.c_str(), &info, H5O_INFO_BASIC, H5P_DEFAULT) >= 0 &&
         info.type == H5O_TYPE_GROUP;
}

std::vector<std::string> Group::names() const {
  std::vector<std::string> names;
  const auto visit = [](hid_t, const char* name, const H5L_info_t*, void* out) -> herr_t {
    static_cast<std::vector<std::string>*>(out)->emplace_back(name);
    return 0;
  };
  if (H5Literate(id(), H5_INDEX_CRT_ORDER, H5_ITER_INC, nullptr, visit, &names) < 0) {
    names.clear();
    require(H5Literate(id(), H5_INDEX_NAME, H5_ITER_INC, nullptr, visit, &names), where_, "cannot list it");
  }
  return names;
}

Group Group::create_group(const std::string& name) {
  const std::string where = below(where_, name);
  const Handle properties = group_properties(H5P_GROUP_CREATE);
  return {own(H5Gcreate2(id(), name.c_str(), H5P_DEFAULT, properties.id(), H5P_DEFAULT), where, "cannot create"),
          where};
}

Group Group::open_group(const std::string& name) const {
  const std::string where = below(where_, name);
  return {own(H5Gopen2(id(), name.c_str(), H5P_DEFAULT), where, "cannot open the group"), where};
}

Group Group::ensure_group(const std::string& name) { return has(name) ? open_group(name) : create_group(name); }

Dataset Group::create_dataset(const std::string& name, Element element, std::span<const int64_t> shape) {
  const std::string where = below(where_, name);
  const std::vector<hsize_t> extents(shape.begin(), shape.end());
  const Handle space =
      own(H5Screate_simple(static_cast<int>(extents.size()), extents.data(), nullptr), where, "cannot make its shape");
  const Handle type = file_type(element), properties = dataset_properties(element, shape);
  return {own(H5Dcreate2(id(), name.c_str(), type.id(), space.id(), H5P_DEFAULT, properties.id(), H5P_DEFAULT), where,
              "cannot create"),
          where};
}

Dataset Group::open_dataset(const std::string& name) const {
  const std::string where = below(where_, name);
  return {own(H5Dopen2(id(), name.c_str(), H5P_DEFAULT), where, "cannot open the dataset"), where};
}

void Group::copy_from(const Group& other, const std::string& name, const std::string& new_name) {
  require(H5Ocopy(other.id(), name.c_str(), id(), new_name.c_str(), H5P_DEFAULT, H5P_DEFAULT), below(where_, new_name),
          "cannot copy");
}

File File::create(const std::filesystem::path& path) {
  silence();
  const Handle creation = group_properties(H5P_FILE_CREATE), access = file_access(kCacheBytes);
  return {own(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation.id(), access.id()), path.string(), "cannot create"),
          path.string() + ":/"};
}

File File::open(const std::filesystem::path& path, size_t cache_bytes) {
  silence();
  const Handle access = file_access(cache_bytes);
  return {own(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.id()), path.string(), "cannot open as HDF5"),
          path.string() + ":/"};
}

void File::close() { require(H5Fclose(handle_.release()), where_, "cannot write to the end"); }

}  // namespace roundtrip::store::hdf5
