# SPDX-License-Identifier: MIT
# How a folder of tests/ adds its tests. Every test carries the name of its folder as its label.
if(QUARRY_WORLD STREQUAL "hosted")
  find_package(GTest REQUIRED)
  include(GoogleTest)
endif()

# The name of this build in front of each test's name tells apart what `make test` runs in several.
cmake_path(GET CMAKE_BINARY_DIR FILENAME QUARRY_TEST_PREFIX)

# quarry_add_test(NAME n SOURCES a.cc ... [LIBS l ...] [LABEL folder] [TIMEOUT seconds] [ARGS a ...])
# One GoogleTest program linked with the library; each of its cases is a test of CTest. Its sources
# may include headers of src/ and of tests/.
function(quarry_add_test)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME;LABEL;TIMEOUT" "SOURCES;LIBS;ARGS")
  if(NOT arg_LABEL)
    file(RELATIVE_PATH below "${PROJECT_SOURCE_DIR}/tests" "${CMAKE_CURRENT_SOURCE_DIR}")
    string(REGEX REPLACE "/.*" "" arg_LABEL "${below}")
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  add_executable(${arg_NAME} ${arg_SOURCES})
  target_link_libraries(${arg_NAME} PRIVATE
    Quarry::quarry quarry_internals ${arg_LIBS} GTest::gtest GTest::gtest_main)
  target_include_directories(${arg_NAME} PRIVATE "${PROJECT_SOURCE_DIR}/tests")
  set_target_properties(${arg_NAME} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
  gtest_discover_tests(${arg_NAME}
    TEST_PREFIX "${QUARRY_TEST_PREFIX}.${arg_NAME}."
    EXTRA_ARGS ${arg_ARGS}
    WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
    DISCOVERY_TIMEOUT 60
    PROPERTIES LABELS ${arg_LABEL} TIMEOUT ${arg_TIMEOUT})
endfunction()

# quarry_add_boot_test(NAME n KERNEL target [COMMAND_LINE text] [QEMU option ...] [EXPECT text ...]
#   [ISO] [PARALLEL] [FAILS] [TIMEOUT seconds])
# One boot of a kernel, by tests/boot/run, which explains the flags.
function(quarry_add_boot_test)
  cmake_parse_arguments(PARSE_ARGV 0 arg
    "ISO;PARALLEL;FAILS" "NAME;KERNEL;COMMAND_LINE;TIMEOUT" "QEMU;EXPECT")
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 60)
  endif()
  set(options --timeout ${arg_TIMEOUT})
  if(NOT "${arg_COMMAND_LINE}" STREQUAL "")
    list(APPEND options --append "${arg_COMMAND_LINE}")
  endif()
  foreach(flag ISO PARALLEL FAILS)
    if(arg_${flag})
      string(TOLOWER "--${flag}" option)
      list(APPEND options ${option})
    endif()
  endforeach()
  foreach(text IN LISTS arg_EXPECT)
    list(APPEND options --expect "${text}")
  endforeach()
  add_test(NAME ${QUARRY_TEST_PREFIX}.boot.${arg_NAME}
    COMMAND "${PROJECT_SOURCE_DIR}/tests/boot/run" ${options} $<TARGET_FILE:${arg_KERNEL}>
      ${arg_QEMU})
  set_tests_properties(${QUARRY_TEST_PREFIX}.boot.${arg_NAME} PROPERTIES LABELS boot)
endfunction()
