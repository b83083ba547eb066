# Compiles the files of a folder into a target, by name (analysis/assets.h). Templates keep their own file types, and
# the program needs no other files.
function(embed_assets target folder)
  file(GLOB files CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}/${folder} ${PROJECT_SOURCE_DIR}/${folder}/*)
  list(JOIN files "|" joined)
  set(generated ${PROJECT_BINARY_DIR}/embedded_assets.cpp)
  list(TRANSFORM files PREPEND ${PROJECT_SOURCE_DIR}/${folder}/)
  add_custom_command(
    OUTPUT ${generated}
    COMMAND ${CMAKE_COMMAND} "-DFILES=${joined}" -DFOLDER=${PROJECT_SOURCE_DIR}/${folder} -DOUTPUT=${generated} -P
            ${PROJECT_SOURCE_DIR}/cmake/WriteEmbeddedAssets.cmake
    DEPENDS ${files} ${PROJECT_SOURCE_DIR}/cmake/WriteEmbeddedAssets.cmake
    VERBATIM)
  target_sources(${target} PRIVATE ${generated})
endfunction()
