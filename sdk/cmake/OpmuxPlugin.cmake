# SPDX-License-Identifier: Apache-2.0
# opmux_add_plugin(NAME SOURCES file... [LIBS target...] [OUTPUT_DIRECTORY dir])
#
# Builds the backend plugin opmux_<NAME>.so as the module target opmux_<NAME>. It exports one symbol and links only
# what LIBS names. Inside the Opmux tree it goes to the plugin folder of the build and is installed with the rest;
# with OUTPUT_DIRECTORY (the mocks of the tests) it is not installed.
function(opmux_add_plugin name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "OUTPUT_DIRECTORY" "SOURCES;LIBS")
  if(arg_UNPARSED_ARGUMENTS OR NOT arg_SOURCES)
    message(FATAL_ERROR "opmux_add_plugin(${name}): wants SOURCES, got unexpected '${arg_UNPARSED_ARGUMENTS}'")
  endif()
  set(target opmux_${name})
  add_library(${target} MODULE ${arg_SOURCES})
  set_target_properties(${target} PROPERTIES
    PREFIX "" SUFFIX ".so" OUTPUT_NAME "opmux_${name}"
    C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    POSITION_INDEPENDENT_CODE ON)
  target_link_libraries(${target} PRIVATE Opmux::sdk ${arg_LIBS})
  # A single unique symbol from a template static would turn dlclose into a no-op; clang emits none.
  target_compile_options(${target} PRIVATE
    $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<CXX_COMPILER_ID:GNU>>:-fno-gnu-unique>)
  target_link_options(${target} PRIVATE LINKER:-Bsymbolic,--exclude-libs,ALL,-z,now,-z,relro
    "LINKER:--version-script=${CMAKE_CURRENT_FUNCTION_LIST_DIR}/plugin.map")
  if(TARGET opmux_warnings)
    target_link_libraries(${target} PRIVATE opmux_warnings opmux_plugins_root)
  endif()
  if(arg_OUTPUT_DIRECTORY)
    set_target_properties(${target} PROPERTIES LIBRARY_OUTPUT_DIRECTORY "${arg_OUTPUT_DIRECTORY}")
  elseif(OPMUX_PLUGIN_DIR)
    set_target_properties(${target} PROPERTIES
      LIBRARY_OUTPUT_DIRECTORY "${OPMUX_PLUGIN_DIR}" INSTALL_RPATH "$ORIGIN/..")
    install(TARGETS ${target} LIBRARY DESTINATION "${OPMUX_INSTALL_PLUGIN_DIR}")
  endif()
endfunction()
