# SPDX-License-Identifier: MIT
# Bare machines: core, port and façade as objects, and programs that are kernels.
enable_language(ASM)

if(QUARRY_WORLD STREQUAL "x86_64")
  set(QUARRY_KERNEL_OFFSET 0xffffffff80000000)
  set(kernel_link_options -Wl,-m,elf_x86_64)
else()
  set(QUARRY_KERNEL_OFFSET 0xc0000000)
  set(kernel_link_options -m32 -Wl,-m,elf_i386)
endif()

add_library(quarry_bare_flags INTERFACE)
target_link_libraries(quarry_bare_flags INTERFACE quarry_core_flags)
target_compile_definitions(quarry_bare_flags INTERFACE KERNEL_OFFSET=${QUARRY_KERNEL_OFFSET})
target_include_directories(quarry_bare_flags INTERFACE
  "${PROJECT_SOURCE_DIR}/ports"
  "${PROJECT_SOURCE_DIR}/ports/${QUARRY_WORLD}")

add_library(quarry_port OBJECT)
target_link_libraries(quarry_port PRIVATE quarry_bare_flags quarry_internals)
add_subdirectory(ports/x86)
add_subdirectory(ports/${QUARRY_WORLD})

add_library(quarry_compat OBJECT)
target_link_libraries(quarry_compat PRIVATE quarry_bare_flags quarry_internals)
target_include_directories(quarry_compat PRIVATE "${PROJECT_SOURCE_DIR}/include/compat")
add_subdirectory(compat)

# quarry_add_kernel(name [FACADE] source... [STACK bytes])
# A program that defines kernel_main() (x86/kernel.h), in bin/<name>.elf of the build folder. QEMU
# boots it with -kernel, GRUB with multiboot2. With the kernel's C API (FACADE) the default system
# has booted on the machine when kernel_main() is called, and all CPUs run.
function(quarry_add_kernel name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "FACADE" "STACK" "")
  if(NOT arg_STACK)
    set(arg_STACK 0x80000)
  endif()
  add_executable(${name} ${arg_UNPARSED_ARGUMENTS}
    $<TARGET_OBJECTS:quarry_core> $<TARGET_OBJECTS:quarry_port>)
  if(arg_FACADE)
    target_sources(${name} PRIVATE $<TARGET_OBJECTS:quarry_compat>)
    target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}/include/compat")
  endif()
  target_link_libraries(${name} PRIVATE quarry_bare_flags quarry_internals)
  set(script "${PROJECT_SOURCE_DIR}/ports/x86/kernel.ld")
  target_link_options(${name} PRIVATE ${kernel_link_options}
    -nostdlib -static -Wl,-z,noexecstack -Wl,--no-warn-execstack -no-pie -Wl,--build-id=none -Wl,-z,max-page-size=4096 -Wl,--gc-sections
    -Wl,--no-warn-rwx-segments
    -Wl,--defsym=KERNEL_OFFSET=${QUARRY_KERNEL_OFFSET} -Wl,--defsym=STACK_BYTES=${arg_STACK}
    "-Wl,-T,${script}")
  set_target_properties(${name} PROPERTIES SUFFIX .elf LINK_DEPENDS "${script}")
endfunction()
