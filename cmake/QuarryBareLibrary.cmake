# SPDX-License-Identifier: MIT
# lib/libquarry.a for a kernel that is built elsewhere (docs/porting.md): the core, and of the
# kernel's C API what asks nothing of a port. `cmake --install` copies it with the headers.
include(GNUInstallDirs)

add_library(quarry_embedded OBJECT
  compat/embedded/default_system.cc
  compat/embedded/warn.cc
  compat/frames.cc
  compat/highmem.cc
  compat/kmem_cache.cc
  compat/pages.cc
  compat/proc.cc
  compat/rcu.cc
  compat/slab.cc
  compat/vmalloc.cc)
target_link_libraries(quarry_embedded PRIVATE quarry_core_flags quarry_internals)
target_include_directories(quarry_embedded PRIVATE
  "${PROJECT_SOURCE_DIR}/compat"
  "${PROJECT_SOURCE_DIR}/include/compat")

add_library(quarry STATIC $<TARGET_OBJECTS:quarry_core> $<TARGET_OBJECTS:quarry_embedded>)

install(TARGETS quarry)
install(DIRECTORY include/quarry DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
  PATTERN hosted_platform.h EXCLUDE)
install(DIRECTORY include/compat/ DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/quarry-compat")
