# SPDX-License-Identifier: MIT
# The hosted library: core, port and façade in one static archive that a plain C link takes.
set(parts quarry_core)

# Makes an object library of a folder that is compiled with libc and without libstdc++. The folder
# adds its sources with target_sources(<name> PRIVATE ...).
function(quarry_add_part name folder)
  if(EXISTS "${PROJECT_SOURCE_DIR}/${folder}/CMakeLists.txt")
    add_library(${name} OBJECT)
    target_link_libraries(${name} PRIVATE quarry_hosted_flags quarry_internals)
    add_subdirectory(${folder})
    set(parts ${parts} ${name} PARENT_SCOPE)
  endif()
endfunction()

quarry_add_part(quarry_port ports/hosted)
quarry_add_part(quarry_compat compat)
if(TARGET quarry_compat)
  target_include_directories(quarry_compat PRIVATE "${PROJECT_SOURCE_DIR}/include/compat")
endif()

add_library(quarry STATIC)
foreach(part IN LISTS parts)
  target_sources(quarry PRIVATE $<TARGET_OBJECTS:${part}>)
endforeach()
add_library(Quarry::quarry ALIAS quarry)
set_target_properties(quarry PROPERTIES LINKER_LANGUAGE C)
target_include_directories(quarry INTERFACE
  "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>"
  "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include/compat>"
  "$<INSTALL_INTERFACE:include>"
  "$<INSTALL_INTERFACE:include/quarry-compat>")
