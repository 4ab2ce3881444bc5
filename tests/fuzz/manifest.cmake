# SPDX-License-Identifier: Apache-2.0
# The reader alone: nothing else of the host is needed.
find_package(fmt QUIET)
if(fmt_FOUND)
  opmux_add_fuzz(fuzz_manifest
    SOURCES fuzz_manifest.cpp "${PROJECT_SOURCE_DIR}/host/loader/manifest.cpp" "${PROJECT_SOURCE_DIR}/host/platform/error.cpp"
    LIBS fmt::fmt)
endif()
