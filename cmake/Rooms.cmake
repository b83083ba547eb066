# A room is a folder under src/ (or analysis/) with its own namespace and OBJECT library. A STATIC library would
# silently drop objects that register themselves.
#
#   add_room(store SEES base LIBRARIES hdf5)
#
# SEES lists the rooms that its files may include, which tests/structure/rooms_test.py checks. Programs link a room
# together with everything that it sees. TORCH lets it see LibTorch.

set(ROUNDTRIP_TORCH_HEADERS <ATen/ATen.h> <optional> <string> <vector> <fmt/format.h>)

function(add_room name)
  cmake_parse_arguments(room "TORCH" "FOLDER" "SEES;LIBRARIES;WITHOUT" ${ARGN})
  if(NOT room_FOLDER)
    set(room_FOLDER src/${name})
  endif()
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${room_FOLDER}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  foreach(inner ${room_WITHOUT})
    list(FILTER sources EXCLUDE REGEX "/${inner}/")
  endforeach()
  # Requirements to compile and link against the room, without the room's objects.
  add_library(room_${name}_needs INTERFACE)
  target_link_libraries(room_${name}_needs INTERFACE ${room_LIBRARIES})
  foreach(seen ${room_SEES})
    target_link_libraries(room_${name}_needs INTERFACE room_${seen}_needs)
  endforeach()
  if(room_TORCH)
    target_link_libraries(room_${name}_needs INTERFACE roundtrip::torch)
  endif()

  add_library(room_${name} OBJECT ${sources})
  target_include_directories(room_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}
                                                 ${PROJECT_BINARY_DIR}/include)
  target_compile_options(room_${name} PRIVATE ${ROUNDTRIP_WARNINGS})
  target_link_libraries(room_${name} PUBLIC room_${name}_needs)
  if(room_TORCH)
    use_torch_headers(room_${name})
  endif()

  set(closure ${name})
  foreach(seen ${room_SEES})
    get_target_property(seen_closure room_${seen} ROOM_CLOSURE)
    list(APPEND closure ${seen_closure})
  endforeach()
  list(REMOVE_DUPLICATES closure)
  set_target_properties(room_${name} PROPERTIES ROOM_CLOSURE "${closure}")
endfunction()

# All targets that see ATen share one precompiled header: parsing ATen takes 4 seconds per file.
function(use_torch_headers target)
  if(NOT TARGET torch_headers)
    file(WRITE ${PROJECT_BINARY_DIR}/torch_headers.cpp "")
    add_library(torch_headers OBJECT ${PROJECT_BINARY_DIR}/torch_headers.cpp)
    target_include_directories(torch_headers PRIVATE ${PROJECT_BINARY_DIR}/include)
    target_link_libraries(torch_headers PRIVATE roundtrip::torch fmt::fmt)
    target_compile_options(torch_headers PRIVATE ${ROUNDTRIP_WARNINGS})
    target_precompile_headers(torch_headers PRIVATE ${ROUNDTRIP_TORCH_HEADERS})
  endif()
  target_precompile_headers(${target} REUSE_FROM torch_headers)
endfunction()

# Links rooms, and all rooms that they see, into a program.
function(link_rooms program)
  set(closure)
  foreach(name ${ARGN})
    get_target_property(room_closure room_${name} ROOM_CLOSURE)
    list(APPEND closure ${room_closure})
  endforeach()
  list(REMOVE_DUPLICATES closure)
  foreach(name ${closure})
    target_link_libraries(${program} PRIVATE room_${name})
  endforeach()
  target_compile_options(${program} PRIVATE ${ROUNDTRIP_WARNINGS})
endfunction()

# Builds tests/<room>/*_test.cpp as the program <room>_test; each GoogleTest case is a ctest case. A room that is not
# built has none. With sanitizers LibTorch takes most of a second to start, so a process runs a quarter of the cases.
function(add_room_tests name)
  if(NOT TARGET room_${name})
    return()
  endif()
  cmake_parse_arguments(tests "TORCH" "" "SEES" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/${name}/*.cpp)
  if(NOT sources)
    return()
  endif()
  add_executable(${name}_test ${sources})
  link_rooms(${name}_test ${name} ${tests_SEES})
  target_include_directories(${name}_test PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(${name}_test PRIVATE GTest::gtest GTest::gmock GTest::gtest_main)
  target_compile_definitions(${name}_test PRIVATE ROUNDTRIP_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  if(tests_TORCH)
    use_torch_headers(${name}_test)
  endif()
  if(NOT ROUNDTRIP_SANITIZE)
    gtest_discover_tests(${name}_test TEST_PREFIX ${name}/ DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 600)
    return()
  endif()
  foreach(shard RANGE 3)
    add_test(NAME ${name}/shard_${shard} COMMAND ${name}_test)
    set_tests_properties(${name}/shard_${shard} PROPERTIES TIMEOUT 1800
                         ENVIRONMENT "GTEST_TOTAL_SHARDS=4;GTEST_SHARD_INDEX=${shard}")
  endforeach()
endfunction()
