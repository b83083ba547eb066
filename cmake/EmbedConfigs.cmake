# Compiles configs/ and experiments/ (as the group `experiment`) into a target, as the last entry of the config search
# path. The program then finds its own groups from any folder.
function(embed_configs target)
  file(GLOB_RECURSE files CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/configs/*.yaml
       ${PROJECT_SOURCE_DIR}/experiments/*.yaml)
  list(JOIN files "|" joined) # a list would become several arguments of the command
  set(generated ${PROJECT_BINARY_DIR}/embedded_configs.cpp)
  add_custom_command(
    OUTPUT ${generated}
    COMMAND ${CMAKE_COMMAND} "-DFILES=${files}" -DROOT=${PROJECT_SOURCE_DIR} -DOUTPUT=${generated} -P
            ${PROJECT_SOURCE_DIR}/cmake/WriteEmbeddedConfigs.cmake
    DEPENDS ${files} ${PROJECT_SOURCE_DIR}/cmake/WriteEmbeddedConfigs.cmake
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
    VERBATIM)
  target_sources(${target} PRIVATE ${generated})
endfunction()
