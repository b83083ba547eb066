#include "store/hdf5.h"

#include <algorithm>

#include <hdf5.h>

#include "base/error.h"
#include "store/hdf5_calls.h"

namespace roundtrip::store::hdf5 {
namespace {

constexpr int kGzipLevel = 4;
constexpr int64_t kChunkBytes = 1 << 20;
constexpr int64_t kChunkRows = 8192;  // of a column: 64 KiB of numbers
constexpr size_t kChunkCacheBytes = 256 << 10;

std::string below(const std::string& where, const std::string& name) {
  return where.ends_with('/') ? where + name : where + "/" + name;
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
  throw Error(ErrorKind::kInternal, "unknown HDF5 element type");
}

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
  // Filters need chunks, and an empty dataset has none.
  if (shape.empty() || std::ranges::find(shape, 0) != shape.end()) return properties;
  const std::vector<hsize_t> chunk = chunk_shape(element, shape);
  require(H5Pset_chunk(properties.id(), static_cast<int>(chunk.size()), chunk.data()), "hdf5", "cannot chunk");
  require(H5Pset_shuffle(properties.id()), "hdf5", "cannot shuffle");
  require(H5Pset_deflate(properties.id(), kGzipLevel), "hdf5", "cannot compress");
  // HDF5 refuses checksums on texts of variable length: their chunks contain references to a heap.
  if (element != Element::kText) require(H5Pset_fletcher32(properties.id()), "hdf5", "cannot checksum");
  return properties;
}

void silence() { H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr); }  // a setting per thread, hence at every file

Handle file_access(size_t cache_bytes) {
  Handle access = own(H5Pcreate(H5P_FILE_ACCESS), "hdf5", "cannot make properties");
  require(H5Pset_fclose_degree(access.id(), H5F_CLOSE_STRONG), "hdf5", "cannot set the close degree");
  // The format of 1.10 has checksums on headers and indices; older ones crash the library where a byte is
  // wrong.
  require(H5Pset_libver_bounds(access.id(), H5F_LIBVER_V110, H5F_LIBVER_V110), "hdf5", "cannot set the format");
  // Rows are read in order: only a chunk or two per dataset and a few headers are used again. HDF5's
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
  // Network file systems often have no locks, and finished files never change, so none is needed.
  require(H5Pset_file_locking(access.id(), true, /*ignore_when_disabled=*/true), "hdf5", "cannot relax locking");
#endif
  return access;
}

}  // namespace

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
