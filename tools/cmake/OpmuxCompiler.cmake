# SPDX-License-Identifier: Apache-2.0
# Compiler choice and ccache, made before project(). An explicit CMAKE_CXX_COMPILER, CXX or CC always wins.
option(OPMUX_PREFER_CLANG "Use clang-19 when it is installed (the release preset: it keeps SIMD accumulators in registers)" OFF)

if(OPMUX_PREFER_CLANG AND NOT CMAKE_CXX_COMPILER AND NOT CMAKE_C_COMPILER AND "$ENV{CXX}$ENV{CC}" STREQUAL "")
  find_program(OPMUX_CLANG clang-19)
  find_program(OPMUX_CLANGXX clang++-19)
  mark_as_advanced(OPMUX_CLANG OPMUX_CLANGXX)
  if(OPMUX_CLANG AND OPMUX_CLANGXX)
    set(CMAKE_C_COMPILER "${OPMUX_CLANG}" CACHE FILEPATH "C compiler")
    set(CMAKE_CXX_COMPILER "${OPMUX_CLANGXX}" CACHE FILEPATH "C++ compiler")
  else()
    message(STATUS "Opmux: clang-19 is not installed, building with the default compiler (slower CPU kernels)")
  endif()
endif()

# Paths relative to the checkout are hashed, so that several checkouts of one machine share the cache.
find_program(OPMUX_CCACHE ccache)
mark_as_advanced(OPMUX_CCACHE)
if(OPMUX_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(opmux_launcher env "CCACHE_BASEDIR=${CMAKE_CURRENT_SOURCE_DIR}" CCACHE_NOHASHDIR=true "${OPMUX_CCACHE}")
  set(CMAKE_C_COMPILER_LAUNCHER "${opmux_launcher}" CACHE STRING "C compiler launcher")
  set(CMAKE_CXX_COMPILER_LAUNCHER "${opmux_launcher}" CACHE STRING "C++ compiler launcher")
endif()
