# What `cmake --install` leaves: the program, its man page and completion; the
# library, shared (public names only) and static; headers; pkg-config and CMake
# packages that find them wherever the folder is moved to.
include(CMakePackageConfigHelpers)

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/admmnn)

# Both libraries hide every name but those of include/admmnn, which an archive's members
# cannot: the archive to install holds one object, linked of all and made local. A build
# for a sanitizer has no libraries to install: their users would need the sanitizer too.
file(GLOB public_headers CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/include/admmnn/*.h)
if(NOT ADMMNN_SANITIZE)
  file(WRITE ${CMAKE_BINARY_DIR}/admmnn.map "{\n  global: admmnn_*;\n  local: *;\n};\n")
  get_target_property(objects admmnn SOURCES)
  get_target_property(dependencies admmnn LINK_LIBRARIES)
  add_library(admmnn_shared SHARED ${objects})
  target_link_libraries(admmnn_shared PRIVATE ${dependencies})
  target_link_options(admmnn_shared PRIVATE
    LINKER:--version-script=${CMAKE_BINARY_DIR}/admmnn.map LINKER:-z,defs)
  set_target_properties(admmnn_shared PROPERTIES LINKER_LANGUAGE C OUTPUT_NAME admmnn
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
    EXPORT_NAME admmnn)
  target_include_directories(admmnn_shared INTERFACE
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  set(object ${CMAKE_BINARY_DIR}/archive/admmnn.o)
  file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/archive)
  add_custom_command(OUTPUT ${object}
    COMMAND ${CMAKE_LINKER} -r --whole-archive $<TARGET_FILE:admmnn> -o ${object}
    COMMAND ${CMAKE_OBJCOPY} --wildcard "--keep-global-symbol=admmnn_*" ${object}
    DEPENDS admmnn VERBATIM)
  add_library(admmnn_static STATIC ${object})
  target_link_libraries(admmnn_static PRIVATE ${dependencies})
  set_target_properties(admmnn_static PROPERTIES LINKER_LANGUAGE C OUTPUT_NAME admmnn
    ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/archive)
  target_include_directories(admmnn_static INTERFACE
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  install(TARGETS admmnn_shared EXPORT admmnn_shared
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(TARGETS admmnn_static EXPORT admmnn_static ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(EXPORT admmnn_shared NAMESPACE admmnn:: FILE admmnnShared.cmake
    DESTINATION ${package_folder})
  install(EXPORT admmnn_static NAMESPACE admmnn:: FILE admmnnStatic.cmake
    DESTINATION ${package_folder})
endif()

# The man page and the completion are printed by the program from the same tables
# as --help.
add_custom_command(OUTPUT ${CMAKE_BINARY_DIR}/admmnn.1
  COMMAND admmnn_cli help --man > ${CMAKE_BINARY_DIR}/admmnn.1 DEPENDS admmnn_cli VERBATIM)
add_custom_command(OUTPUT ${CMAKE_BINARY_DIR}/admmnn.bash
  COMMAND admmnn_cli help --completion > ${CMAKE_BINARY_DIR}/admmnn.bash
  DEPENDS admmnn_cli VERBATIM)
add_custom_target(admmnn_manual ALL
  DEPENDS ${CMAKE_BINARY_DIR}/admmnn.1 ${CMAKE_BINARY_DIR}/admmnn.bash)

# pkg-config: paths relative to the .pc file itself.
file(RELATIVE_PATH prefix_from_pc /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(${CMAKE_SOURCE_DIR}/cmake/admmnn.pc.in ${CMAKE_BINARY_DIR}/admmnn.pc @ONLY)
configure_package_config_file(${CMAKE_SOURCE_DIR}/cmake/admmnnConfig.cmake.in
  ${CMAKE_BINARY_DIR}/admmnnConfig.cmake INSTALL_DESTINATION ${package_folder}
  NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/admmnnConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)

install(TARGETS admmnn_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES ${public_headers} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/admmnn)
install(FILES ${CMAKE_BINARY_DIR}/admmnn.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(FILES ${CMAKE_BINARY_DIR}/admmnnConfig.cmake ${CMAKE_BINARY_DIR}/admmnnConfigVersion.cmake
  DESTINATION ${package_folder})
install(FILES ${CMAKE_BINARY_DIR}/admmnn.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${CMAKE_BINARY_DIR}/admmnn.bash
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME admmnn)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY recipes/ DESTINATION ${CMAKE_INSTALL_DATADIR}/admmnn/recipes OPTIONAL
  FILES_MATCHING PATTERN "*.yaml")
