# Script mode: writes the header of Version.cmake.
execute_process(
  COMMAND git -C ${ROOT} describe --always --dirty --abbrev=12
  OUTPUT_VARIABLE revision OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT revision)
  set(revision unknown)
endif()
set(text "// Generated at build time.\n#pragma once\n
#define ROUNDTRIP_VERSION \"${VERSION}\"
#define ROUNDTRIP_REVISION \"${revision}\"
#define ROUNDTRIP_COMPILER \"${COMPILER}\"
#define ROUNDTRIP_BUILD_TYPE \"${BUILD_TYPE}\"\n")
if(EXISTS ${OUTPUT})
  file(READ ${OUTPUT} before)
endif()
if(NOT "${before}" STREQUAL "${text}")
  file(WRITE ${OUTPUT} "${text}")
endif()
