# Compiles the description of `roundtrip-networks` into `roundtrip` (app/description.h). New methods and keys then
# appear in the help of a program that never loads it. Without LibTorch there is nothing to describe.
function(embed_description target)
  set(generated ${PROJECT_BINARY_DIR}/description.cpp)
  set(script ${PROJECT_SOURCE_DIR}/cmake/WriteDescription.cmake)
  set(teller)
  if(TARGET roundtrip-networks)
    set(teller roundtrip-networks)
  endif()
  add_custom_command(
    OUTPUT ${generated}
    COMMAND ${CMAKE_COMMAND} -E env ASAN_OPTIONS=detect_leaks=0 # LibTorch leaks at exit
            ${CMAKE_COMMAND} "-DPROGRAM=$<$<BOOL:${teller}>:$<TARGET_FILE:${teller}>>" -DVERSION=${PROJECT_VERSION}
            -DOUTPUT=${generated} -P ${script}
    DEPENDS ${script} ${teller}
    VERBATIM)
  target_sources(${target} PRIVATE ${generated})
endfunction()
