# Writes build/include/roundtrip_version.h at every build, touching it only when the revision changes.
function(use_version_header target)
  set(script ${PROJECT_SOURCE_DIR}/cmake/WriteVersion.cmake)
  if(NOT TARGET version_header)
    add_custom_target(
      version_header
      COMMAND ${CMAKE_COMMAND} -DROOT=${PROJECT_SOURCE_DIR} -DOUTPUT=${PROJECT_BINARY_DIR}/include/roundtrip_version.h
              -DVERSION=${PROJECT_VERSION} -DCOMPILER=${CMAKE_CXX_COMPILER_ID}-${CMAKE_CXX_COMPILER_VERSION}
              -DBUILD_TYPE=${CMAKE_BUILD_TYPE} -P ${script}
      BYPRODUCTS ${PROJECT_BINARY_DIR}/include/roundtrip_version.h
      VERBATIM)
  endif()
  if(TARGET ${target})
    add_dependencies(${target} version_header)
  endif()
endfunction()
