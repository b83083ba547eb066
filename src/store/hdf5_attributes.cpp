// Attributes of HDF5 objects: texts and integers.
#include <hdf5.h>

#include "base/error.h"
#include "store/hdf5.h"
#include "store/hdf5_calls.h"

namespace roundtrip::store::hdf5 {
namespace {

Handle scalar_space() { return own(H5Screate(H5S_SCALAR), "hdf5", "cannot make a scalar"); }

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
  if (!is_one_text(attribute.id())) throw input_error(where_, fmt::format("attribute '{}' is not a text", name));
  return read_text(attribute.id(), where_);
}

int64_t Object::integer_attribute(const std::string& name) const {
  const Handle attribute =
      own(H5Aopen(id(), name.c_str(), H5P_DEFAULT), where_, fmt::format("no attribute '{}'", name));
  const Handle type(H5Aget_type(attribute.id())), space(H5Aget_space(attribute.id()));
  if (H5Tget_class(type.id()) != H5T_INTEGER || H5Sget_simple_extent_npoints(space.id()) != 1) {
    throw input_error(where_, fmt::format("attribute '{}' is not an integer", name));
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

}  // namespace roundtrip::store::hdf5
