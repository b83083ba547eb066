// Checked calls of the HDF5 C library, shared by the files that implement store/hdf5.h and by no other.
#pragma once

#include <string>
#include <string_view>

#include <hdf5.h>

#include "store/hdf5.h"

namespace roundtrip::store::hdf5 {

static_assert(sizeof(hid_t) == sizeof(int64_t), "ids cross the header as int64_t");

// Throws kInput with HDF5's own reason.
[[noreturn]] void fail(const std::string& where, std::string_view what);
// Takes ownership of `id`; throws kInput for a negative one.
Handle own(hid_t id, const std::string& where, std::string_view what);
// Throws kInput for a negative status.
void require(herr_t status, const std::string& where, std::string_view what);

// A text of variable length, or of `length` bytes.
Handle text_type(size_t length = H5T_VARIABLE, H5T_cset_t charset = H5T_CSET_UTF8);
int64_t size_of(Element element);

}  // namespace roundtrip::store::hdf5
