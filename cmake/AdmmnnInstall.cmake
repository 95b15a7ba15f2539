# What `cmake --install` leaves: the program, its man page and completion; the
# library and the runtime, shared (public names only) and static; headers; pkg-config and
# CMake packages that find them wherever the folder is moved to.
include(CMakePackageConfigHelpers)

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/admmnn)

file(GLOB public_headers CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/include/admmnn/*.h)

# admmnn_installed(NAME FILE ARCHIVE SOURCES ... LINKS ...): libFILE, shared and static, of
# the archive's objects. Both hide every name but those of include/admmnn, which an archive's
# members cannot: the one to install holds one object, linked of all and made local.
function(admmnn_installed name file archive)
  cmake_parse_arguments(installed "" "" "SOURCES;LINKS" ${ARGN})
  add_library(${name}_shared SHARED ${installed_SOURCES})
  target_link_libraries(${name}_shared PRIVATE ${installed_LINKS})
  target_link_options(${name}_shared PRIVATE
    LINKER:--version-script=${CMAKE_BINARY_DIR}/admmnn.map LINKER:-z,defs)
  set_target_properties(${name}_shared PROPERTIES LINKER_LANGUAGE C OUTPUT_NAME ${file}
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
    EXPORT_NAME ${name})
  target_include_directories(${name}_shared INTERFACE
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  set(object ${CMAKE_BINARY_DIR}/archive/${file}.o)
  file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/archive)
  add_custom_command(OUTPUT ${object}
    COMMAND ${CMAKE_LINKER} -r --whole-archive $<TARGET_FILE:${archive}> -o ${object}
    COMMAND ${CMAKE_OBJCOPY} --wildcard "--keep-global-symbol=admmnn_*" ${object}
    DEPENDS ${archive} VERBATIM)
  add_library(${name}_static STATIC ${object})
  target_link_libraries(${name}_static PRIVATE ${installed_LINKS})
  set_target_properties(${name}_static PROPERTIES LINKER_LANGUAGE C OUTPUT_NAME ${file}
    ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/archive)
  target_include_directories(${name}_static INTERFACE
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
endfunction()

# A build for a sanitizer has no libraries to install: their users would need the sanitizer
# too. The runtime's archive stands on libm alone, so it is found with the shared libraries.
if(NOT ADMMNN_SANITIZE)
  file(WRITE ${CMAKE_BINARY_DIR}/admmnn.map "{\n  global: admmnn_*;\n  local: *;\n};\n")
  get_target_property(objects admmnn SOURCES)
  get_target_property(dependencies admmnn LINK_LIBRARIES)
  list(REMOVE_ITEM dependencies admmnn_runtime)
  admmnn_installed(admmnn admmnn admmnn SOURCES ${objects} LINKS ${dependencies})
  admmnn_installed(admmnn_rt admmnn-rt admmnn_runtime
    SOURCES $<TARGET_OBJECTS:admmnn_runtime> LINKS m)
  # The library runs the runtime, each kind the installed one of its own.
  target_link_libraries(admmnn_shared PRIVATE admmnn_rt_shared)
  target_link_libraries(admmnn_static PRIVATE admmnn_rt_static)
  install(TARGETS admmnn_shared admmnn_rt_shared admmnn_rt_static EXPORT admmnn_shared
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
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
configure_file(${CMAKE_SOURCE_DIR}/cmake/admmnn-rt.pc.in ${CMAKE_BINARY_DIR}/admmnn-rt.pc @ONLY)
configure_package_config_file(${CMAKE_SOURCE_DIR}/cmake/admmnnConfig.cmake.in
  ${CMAKE_BINARY_DIR}/admmnnConfig.cmake INSTALL_DESTINATION ${package_folder}
  NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/admmnnConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)

install(TARGETS admmnn_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES ${public_headers} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/admmnn)
install(FILES ${CMAKE_BINARY_DIR}/admmnn.pc ${CMAKE_BINARY_DIR}/admmnn-rt.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(FILES ${CMAKE_BINARY_DIR}/admmnnConfig.cmake ${CMAKE_BINARY_DIR}/admmnnConfigVersion.cmake
  DESTINATION ${package_folder})
install(FILES ${CMAKE_BINARY_DIR}/admmnn.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${CMAKE_BINARY_DIR}/admmnn.bash
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME admmnn)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY recipes/ DESTINATION ${CMAKE_INSTALL_DATADIR}/admmnn/recipes OPTIONAL
  FILES_MATCHING PATTERN "*.yaml")
