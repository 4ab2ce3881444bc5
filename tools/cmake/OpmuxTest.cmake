# SPDX-License-Identifier: Apache-2.0
# opmux_add_test(NAME SOURCES file... [LIBS target...] [LABELS label...] [TIMEOUT seconds] [WHOLE])
#
# A GoogleTest program <build>/tests-bin/NAME, each of its tests a CTest test. WHOLE registers the program as one test,
# for programs whose start is dear. The label "slow" keeps a test out of `tools/dev test`.
function(opmux_add_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "WHOLE" "TIMEOUT" "SOURCES;LIBS;LABELS")
  if(arg_UNPARSED_ARGUMENTS OR NOT arg_SOURCES)
    message(FATAL_ERROR "opmux_add_test(${name}): wants SOURCES, got unexpected '${arg_UNPARSED_ARGUMENTS}'")
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  add_executable(${name} ${arg_SOURCES})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${OPMUX_TEST_DIR}")
  target_link_libraries(${name} PRIVATE ${arg_LIBS} Opmux::sdk opmux_host_root opmux_test_paths opmux_warnings
                                        GTest::gmock_main)
  if(arg_WHOLE)
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES LABELS "${arg_LABELS}" TIMEOUT ${arg_TIMEOUT})
  else()
    gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST NO_PRETTY_VALUES TEST_LIST ${name}_discovered
                         PROPERTIES TIMEOUT ${arg_TIMEOUT})
    # gtest_discover_tests loses all but the first element of a list, so the labels are set by CTest afterwards.
    set(labels_file "${CMAKE_CURRENT_BINARY_DIR}/${name}_labels.cmake")
    file(WRITE "${labels_file}" "if(${name}_discovered)\n"
      "  set_tests_properties(\${${name}_discovered} PROPERTIES LABELS \"${arg_LABELS}\")\nendif()\n")
    set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES "${labels_file}")
  endif()
endfunction()

# opmux_add_bench(NAME SOURCES file... [LIBS target...]): a Google Benchmark program <build>/bench-bin/NAME, outside `all`.
function(opmux_add_bench name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBS")
  if(arg_UNPARSED_ARGUMENTS OR NOT arg_SOURCES)
    message(FATAL_ERROR "opmux_add_bench(${name}): wants SOURCES, got unexpected '${arg_UNPARSED_ARGUMENTS}'")
  endif()
  if(NOT TARGET bench)
    add_custom_target(bench)
  endif()
  add_executable(${name} EXCLUDE_FROM_ALL ${arg_SOURCES})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bench-bin")
  target_link_libraries(${name} PRIVATE ${arg_LIBS} Opmux::sdk opmux_host_root opmux_warnings benchmark::benchmark_main)
  add_dependencies(bench ${name})
endfunction()

# opmux_add_fuzzer(NAME SOURCES file... [LIBS target...]): a libFuzzer program <build>/fuzz-bin/NAME of the fuzz preset, built by
# the target `fuzz`; without OPMUX_FUZZ it does nothing. Seeds lie in tests/fuzz/seeds/NAME.
function(opmux_add_fuzzer name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBS")
  if(arg_UNPARSED_ARGUMENTS OR NOT arg_SOURCES)
    message(FATAL_ERROR "opmux_add_fuzzer(${name}): wants SOURCES, got unexpected '${arg_UNPARSED_ARGUMENTS}'")
  endif()
  if(NOT OPMUX_FUZZ)
    return()
  endif()
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "OPMUX_FUZZ needs clang (libFuzzer), the compiler is ${CMAKE_CXX_COMPILER_ID}")
  endif()
  if(NOT TARGET fuzz)
    add_custom_target(fuzz)
  endif()
  add_executable(${name} EXCLUDE_FROM_ALL ${arg_SOURCES})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/fuzz-bin")
  target_link_libraries(${name} PRIVATE ${arg_LIBS} Opmux::sdk opmux_host_root opmux_warnings)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  add_dependencies(fuzz ${name})
endfunction()

# Enables testing here, in the top-level scope, so that `ctest` works from the build folder.
if(OPMUX_TESTS)
  enable_testing()
  include(GoogleTest)
  find_package(GTest QUIET)
  find_package(Threads REQUIRED)
endif()
