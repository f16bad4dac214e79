# SPDX-License-Identifier: MIT
# What `make install` copies: archive, headers, CMake package, pkg-config file, and the tool.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS quarry EXPORT QuarryTargets)
install(DIRECTORY include/quarry DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(DIRECTORY include/compat/ DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/quarry-compat")
if(TARGET quarry_tool)
  install(TARGETS quarry_tool)
endif()

set(package_folder "${CMAKE_INSTALL_LIBDIR}/cmake/Quarry")
install(EXPORT QuarryTargets NAMESPACE Quarry:: DESTINATION "${package_folder}")
configure_package_config_file(cmake/QuarryConfig.cmake.in "${CMAKE_BINARY_DIR}/QuarryConfig.cmake"
  INSTALL_DESTINATION "${package_folder}")
write_basic_package_version_file("${CMAKE_BINARY_DIR}/QuarryConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_BINARY_DIR}/QuarryConfig.cmake"
  "${CMAKE_BINARY_DIR}/QuarryConfigVersion.cmake" DESTINATION "${package_folder}")

# The prefix of an installation is known when it is made (cmake --install --prefix), not before; the
# file therefore finds it from its own place.
file(RELATIVE_PATH QUARRY_PC_TO_PREFIX
  "/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/prefix")
configure_file(cmake/quarry.pc.in "${CMAKE_BINARY_DIR}/quarry.pc" @ONLY)
install(FILES "${CMAKE_BINARY_DIR}/quarry.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
