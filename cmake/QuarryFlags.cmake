# SPDX-License-Identifier: MIT
# Flags of every target, and the interface targets that carry the flags of a part.
#   quarry_core_flags    how src/ is compiled: freestanding C++20
#   quarry_hosted_flags  how ports/hosted and compat/ are compiled: libc, but no libstdc++
#   quarry_internals     include paths and definitions of whoever includes headers of src/

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib")
set(CMAKE_C_FLAGS_DEBUG "-Og -g")
set(CMAKE_CXX_FLAGS_DEBUG "-Og -g")
set(CMAKE_C_FLAGS_RELEASE "-O2 -g -DNDEBUG")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g -DNDEBUG")
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug or Release" FORCE)
endif()

add_compile_options(-Wall -Wextra -Wshadow -Wundef)
if(QUARRY_WERROR)
  add_compile_options(-Werror)
endif()
if(QUARRY_SANITIZE)
  # The vptr check needs the type information that the core is compiled without.
  add_compile_options(-fsanitize=${QUARRY_SANITIZE} -fno-sanitize=vptr
    -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${QUARRY_SANITIZE})
  # Thread sanitizer wants fixed places in the address space, which a kernel that randomises 32 bits
  # does not leave free.
  execute_process(COMMAND setarch -R true RESULT_VARIABLE no_setarch OUTPUT_QUIET ERROR_QUIET)
  if(QUARRY_SANITIZE MATCHES "thread" AND NOT no_setarch)
    set(CMAKE_CROSSCOMPILING_EMULATOR setarch -R)
  endif()
endif()

set(cxx_subset
  $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions>
  $<$<COMPILE_LANGUAGE:CXX>:-fno-rtti>
  $<$<COMPILE_LANGUAGE:CXX>:-fno-threadsafe-statics>
  -ffunction-sections)

add_library(quarry_core_flags INTERFACE)
target_compile_options(quarry_core_flags INTERFACE ${cxx_subset} -fvisibility=hidden)
if(QUARRY_WORLD STREQUAL "hosted")
  set(CMAKE_POSITION_INDEPENDENT_CODE ON)
  target_compile_options(quarry_core_flags INTERFACE -ftls-model=initial-exec)
else()
  set(CMAKE_POSITION_INDEPENDENT_CODE OFF)
  target_compile_options(quarry_core_flags INTERFACE
    -ffreestanding -mgeneral-regs-only -fno-pic -fno-pie -fno-stack-protector
    -fno-asynchronous-unwind-tables)
  if(QUARRY_WORLD STREQUAL "x86_64")
    target_compile_options(quarry_core_flags INTERFACE -mno-red-zone -mcmodel=kernel)
  elseif(QUARRY_WORLD STREQUAL "i386")
    target_compile_options(quarry_core_flags INTERFACE -m32 -march=i686)
  else()
    message(FATAL_ERROR "QUARRY_WORLD: '${QUARRY_WORLD}' is none of hosted, x86_64, i386")
  endif()
endif()

add_library(quarry_hosted_flags INTERFACE)
target_compile_options(quarry_hosted_flags INTERFACE ${cxx_subset}
  -fno-semantic-interposition -ftls-model=initial-exec)

# Thread sanitizer does not see restartable sequences; its world has the same parts behind locks.
set(QUARRY_ARCH_FOLDER "${QUARRY_WORLD}")
if(QUARRY_NO_RSEQ AND IS_DIRECTORY "${PROJECT_SOURCE_DIR}/src/arch/${QUARRY_WORLD}_locked")
  set(QUARRY_ARCH_FOLDER "${QUARRY_WORLD}_locked")
endif()

add_library(quarry_internals INTERFACE)
target_include_directories(quarry_internals INTERFACE
  "${PROJECT_SOURCE_DIR}/src"
  "${PROJECT_SOURCE_DIR}/src/arch/${QUARRY_ARCH_FOLDER}"
  "${PROJECT_SOURCE_DIR}/include")
target_compile_definitions(quarry_internals INTERFACE
  $<$<CONFIG:Debug>:QUARRY_DEBUG=1>
  $<$<BOOL:${QUARRY_NO_RSEQ}>:QUARRY_NO_RSEQ=1>)
