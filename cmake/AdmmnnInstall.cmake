# Filled by the packaging work: library, headers, pkg-config, CMake package,
# CLI, man page, bash completion.
install(TARGETS admmnn_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
