// Reference material too large for the repository, from $ROUNDTRIP_SHARED or else the folder `shared` beside the
// checkout.
#pragma once

#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>

namespace roundtrip {

inline std::filesystem::path shared_material(const std::filesystem::path& name) {
  const char* folder = std::getenv("ROUNDTRIP_SHARED");
  return (folder ? std::filesystem::path(folder)
                 : std::filesystem::path(ROUNDTRIP_SOURCE_DIR).parent_path() / "shared") /
         name;
}

}  // namespace roundtrip

// Skips a test if the material that it needs is absent.
#define ROUNDTRIP_NEEDS_SHARED(name)                                                               \
  if (!std::filesystem::exists(roundtrip::shared_material(name))) {                                \
    GTEST_SKIP() << "SKIPPED FOR LACK OF REFERENCE MATERIAL: " << roundtrip::shared_material(name) \
                 << " is not there; set ROUNDTRIP_SHARED to the folder that holds it";             \
  }
