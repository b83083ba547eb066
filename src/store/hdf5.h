// A thin RAII wrapper of HDF5's C API: files, groups, datasets, attributes, dimension scales.
// Equal data give equal bytes, and other programs can read them: little-endian, no
// object times, links in order of creation, UTF-8 strings of variable length, chunks with shuffle, gzip 4 and
// fletcher32. A call that fails throws kInput with the object's place and HDF5's own reason; HDF5 prints
// nothing itself. Not supported: types other than the five elements, partial access to arrays of more than one
// dimension.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "store/texts.h"

namespace roundtrip::store::hdf5 {

// Bytes of a file's headers and texts that stay in memory while it is open.
inline constexpr size_t kCacheBytes = 4 << 20;

enum class Element { kFloat64, kFloat32, kInt64, kUint8, kText };

// Owns one reference to an HDF5 object of any kind.
class Handle {
 public:
  Handle() = default;
  explicit Handle(int64_t id) : id_(id) {}
  Handle(Handle&& other) noexcept : id_(other.release()) {}
  Handle& operator=(Handle&& other) noexcept;
  ~Handle();

  int64_t id() const { return id_; }
  int64_t release();  // gives the reference away

 private:
  int64_t id_ = -1;
};

// The base of files, groups and datasets: a place, and attributes.
class Object {
 public:
  const std::string& where() const { return where_; }  // "run/results.h5:/per_step/loss", for messages
  int64_t id() const { return handle_.id(); }

  void set_attribute(const std::string& name,
                     std::string_view text);  // cut at a NUL, which UTF-8 text does not contain
  void set_attribute(const std::string& name, int64_t value);
  void set_fixed_attribute(const std::string& name,
                           std::string_view text);  // fixed length, as the image spec asks

  bool has_attribute(const std::string& name) const;
  std::string text_attribute(const std::string& name) const;
  int64_t integer_attribute(const std::string& name) const;
  std::map<std::string, std::string> text_attributes() const;  // the attributes that are a single text

 protected:
  Object(Handle handle, std::string where) : where_(std::move(where)), handle_(std::move(handle)) {}
  std::string where_;
  Handle handle_;
};

class Dataset : public Object {
 public:
  Dataset(Handle handle, std::string where) : Object(std::move(handle), std::move(where)) {}

  Element element() const;             // throws for any other type
  std::vector<int64_t> shape() const;  // throws where it has no simple shape

  // Elements [first, first + size) of a one-dimensional dataset.
  void write(int64_t first, std::span<const double> values);
  void write(int64_t first, std::span<const int64_t> values);
  void write(int64_t first, std::span<const std::string> values);
  void write(int64_t first, std::span<const char* const> values);  // texts, each up to its NUL
  std::vector<double> read_numbers(int64_t first, int64_t count) const;
  std::vector<int64_t> read_integers(int64_t first, int64_t count) const;
  Texts read_texts(int64_t first, int64_t count) const;
  Texts read_texts_at(std::span<const int64_t> rows) const;

  // All of a dataset of float32 or uint8, in C order, in this machine's byte order.
  void write_bytes(std::span<const std::byte> bytes);
  std::vector<std::byte> read_bytes() const;

  void make_scale(const std::string& name);  // makes it the coordinate of a dimension
  void attach_scale(const Dataset& scale);   // its first dimension is labelled by `scale`

 private:
  void access(int64_t first, size_t count, int64_t memory_type, void* into, const void* from) const;
  Texts read_selected_texts(const Handle& selection, size_t count) const;
  void check_stored(int64_t count) const;
};

class Group : public Object {
 public:
  Group(Handle handle, std::string where) : Object(std::move(handle), std::move(where)) {}

  bool has(const std::string& name) const;
  bool is_group(const std::string& name) const;
  std::vector<std::string> names() const;  // in order of creation where the file tracks it, else alphabetically

  Group create_group(const std::string& name);
  Group open_group(const std::string& name) const;
  Group ensure_group(const std::string& name);  // opened if it exists, else created
  Dataset create_dataset(const std::string& name, Element element, std::span<const int64_t> shape);
  Dataset open_dataset(const std::string& name) const;

  // Copies `name` of another file's group, with all below it and compressed as it is.
  void copy_from(const Group& other, const std::string& name, const std::string& new_name);
};

// A file is its root group.
class File : public Group {
 public:
  static File create(const std::filesystem::path& path);                                  // replaces an existing file
  static File open(const std::filesystem::path& path, size_t cache_bytes = kCacheBytes);  // for reading

  void close();  // throws where the last bytes cannot be written; a destroyed File closes in silence

 private:
  File(Handle handle, std::string where) : Group(std::move(handle), std::move(where)) {}
};

}  // namespace roundtrip::store::hdf5
