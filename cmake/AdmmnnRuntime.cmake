# The runtime: C99, with a view of its own folder, of its public header and of the one header
# of pack/ that defines the file.
set(view ${CMAKE_BINARY_DIR}/floors/runtime)
file(MAKE_DIRECTORY ${view}/pack ${view}/admmnn)
file(CREATE_LINK ${CMAKE_SOURCE_DIR}/src/pack/format.h ${view}/pack/format.h SYMBOLIC)
file(CREATE_LINK ${CMAKE_SOURCE_DIR}/include/admmnn/runtime.h ${view}/admmnn/runtime.h SYMBOLIC)

file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/runtime/*.c)
add_library(admmnn_runtime STATIC ${sources})
set_target_properties(admmnn_runtime PROPERTIES C_STANDARD 99)
if(ADMMNN_SANITIZE)
  set_source_files_properties(${CMAKE_SOURCE_DIR}/runtime/kernels_avx2.c
    ${CMAKE_SOURCE_DIR}/runtime/kernels_avx512.c
    ${CMAKE_SOURCE_DIR}/runtime/kernels_neon.c PROPERTIES
    COMPILE_OPTIONS "${instrumented_kernels}")
endif()
target_include_directories(admmnn_runtime PRIVATE ${CMAKE_SOURCE_DIR}/runtime PUBLIC ${view})
target_compile_definitions(admmnn_runtime PRIVATE RT_THREADS=1)
target_link_libraries(admmnn_runtime PUBLIC m)
