# SPDX-License-Identifier: Apache-2.0
# Parts of the tree that are built when they are there and their packages are installed.

# Adds each folder that has a CMakeLists.txt, in the order given.
function(opmux_add_parts)
  set_property(GLOBAL PROPERTY OPMUX_PARTS ${ARGN})
  foreach(part IN LISTS ARGN)
    if(NOT EXISTS "${PROJECT_SOURCE_DIR}/${part}/CMakeLists.txt")
      opmux_part_off(${part} "not in this checkout")
    elseif(part MATCHES "^tests(/mocks)?$" AND NOT OPMUX_TESTS)
      opmux_part_off(${part} "OPMUX_TESTS is off")
    else()
      add_subdirectory(${part})
    endif()
  endforeach()
endfunction()

# Marks a part as left out; the part's CMakeLists.txt returns after calling it.
function(opmux_part_off part reason)
  set_property(GLOBAL PROPERTY OPMUX_PART_OFF_${part} "${reason}")
endfunction()

# opmux_need(PART PACKAGE DEBIAN_PACKAGE [find_package arguments...]): finds a package, or leaves the calling part out.
macro(opmux_need part package debian)
  find_package(${package} QUIET ${ARGN})
  if(NOT ${package}_FOUND)
    opmux_part_off(${part} "${package} is missing (Debian: ${debian})")
    return()
  endif()
endmacro()

# opmux_need_target(PART TARGET...): leaves the calling part out when a part that it builds on is out.
macro(opmux_need_target part)
  foreach(opmux_needed ${ARGN})
    if(NOT TARGET ${opmux_needed})
      opmux_part_off(${part} "needs ${opmux_needed}, which is off")
      return()
    endif()
  endforeach()
endmacro()

function(opmux_print_parts)
  get_property(parts GLOBAL PROPERTY OPMUX_PARTS)
  message(STATUS "Opmux ${PROJECT_VERSION}: ${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}, ${CMAKE_BUILD_TYPE}, "
                 "threads ${OPMUX_THREADS_BACKEND}, sanitizer ${opmux_sanitizer_key}")
  foreach(part IN LISTS parts)
    get_property(reason GLOBAL PROPERTY OPMUX_PART_OFF_${part})
    string(SUBSTRING "${part}                    " 0 20 padded)
    if(reason)
      message(STATUS "  ${padded} off  ${reason}")
    else()
      message(STATUS "  ${padded} on")
    endif()
  endforeach()
endfunction()

function(opmux_install_program target)
  set_target_properties(${target} PROPERTIES INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
  install(TARGETS ${target} RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
endfunction()

# A helper program that only libopmux starts, found relative to the library.
function(opmux_install_helper target)
  set_target_properties(${target} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY "${OPMUX_LIBEXEC_DIR}"
    INSTALL_RPATH "$ORIGIN/../../${CMAKE_INSTALL_LIBDIR}")
  install(TARGETS ${target} RUNTIME DESTINATION "${OPMUX_INSTALL_LIBEXEC_DIR}")
endfunction()

# A shared library that applications link; it becomes Opmux::<EXPORT_NAME> in the package config.
function(opmux_install_library target)
  set_target_properties(${target} PROPERTIES INSTALL_RPATH "$ORIGIN")
  install(TARGETS ${target} EXPORT OpmuxTargets
    LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
endfunction()
