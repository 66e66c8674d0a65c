# Installation: headers under include/dlir, libdlir, its modules in lib/dlir, and what find_package(DLIR)
# and pkg-config need.

include(CMakePackageConfigHelpers)

install(TARGETS dlir EXPORT DLIRTargets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
foreach(layer ir dialects passes)
  if(IS_DIRECTORY ${CMAKE_SOURCE_DIR}/${layer})
    install(DIRECTORY ${CMAKE_SOURCE_DIR}/${layer}
            DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/dlir
            FILES_MATCHING PATTERN "*.h" PATTERN "*_internal.h" EXCLUDE)
  endif()
endforeach()
foreach(header ${DLIR_GENERATED_HEADERS})
  file(RELATIVE_PATH relative ${CMAKE_BINARY_DIR} ${header})
  get_filename_component(folder ${relative} DIRECTORY)
  install(FILES ${header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/dlir/${folder})
endforeach()

set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/DLIR)
install(EXPORT DLIRTargets NAMESPACE DLIR:: DESTINATION ${config_dir})
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/DLIRConfig.cmake.in
  ${CMAKE_BINARY_DIR}/DLIRConfig.cmake INSTALL_DESTINATION ${config_dir})
# Until 1.0 a minor version may change the interface, as the soname says.
write_basic_package_version_file(${CMAKE_BINARY_DIR}/DLIRConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/DLIRConfig.cmake ${CMAKE_BINARY_DIR}/DLIRConfigVersion.cmake
        DESTINATION ${config_dir})

# Relative, so that the tree may be installed elsewhere than was configured.
file(RELATIVE_PATH DLIR_PREFIX_FROM_PC /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
configure_file(${CMAKE_CURRENT_LIST_DIR}/dlir.pc.in ${CMAKE_BINARY_DIR}/dlir.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/dlir.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
