# admmnn_floor(NAME USES lower...): one object library of src/NAME/*.c whose
# include path holds its own folder and the folders below it, nothing else.
function(admmnn_floor name)
  cmake_parse_arguments(floor "" "" "USES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.c)
  # Sources are included as "folder/file.h": a private view of src/ with one
  # link per permitted folder makes a call upwards a compile error.
  set(view ${CMAKE_BINARY_DIR}/floors/${name})
  file(MAKE_DIRECTORY ${view})
  file(CREATE_LINK ${CMAKE_SOURCE_DIR}/src/${name} ${view}/${name} SYMBOLIC)
  add_library(admmnn_${name} STATIC ${sources})
  set_target_properties(admmnn_${name} PROPERTIES LINKER_LANGUAGE C)
  target_include_directories(admmnn_${name}
    PUBLIC $<BUILD_INTERFACE:${view}> $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include>)
  foreach(lower IN LISTS floor_USES)
    target_link_libraries(admmnn_${name} PUBLIC admmnn_${lower})
  endforeach()
endfunction()

# admmnn_library(NAME FLOORS ...): all floors in one archive, of which the installed
# libraries are made.
function(admmnn_library name)
  cmake_parse_arguments(library "" "" "FLOORS" ${ARGN})
  set(objects)
  set(dependencies)
  foreach(floor IN LISTS library_FLOORS)
    list(APPEND objects $<TARGET_OBJECTS:admmnn_${floor}>)
    get_target_property(links admmnn_${floor} LINK_LIBRARIES)
    foreach(link IN LISTS links)
      if(NOT link MATCHES "^admmnn_")
        list(APPEND dependencies ${link})
      endif()
    endforeach()
  endforeach()
  list(REMOVE_DUPLICATES dependencies)
  add_library(${name} STATIC ${objects})
  set_target_properties(${name} PROPERTIES LINKER_LANGUAGE C)
  target_link_libraries(${name} PRIVATE ${dependencies})
  target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR}/include)
endfunction()

# The ONNX schema is Debian's (libonnx-dev); its C code is generated at build time.
function(admmnn_onnx_schema target)
  set(out ${CMAKE_BINARY_DIR}/generated)
  file(MAKE_DIRECTORY ${out}/onnx_schema)
  add_custom_command(
    OUTPUT ${out}/onnx_schema/onnx.pb-c.c ${out}/onnx_schema/onnx.pb-c.h
    COMMAND ${PROTOC_C} --c_out=${out}/onnx_schema -I ${ONNX_PROTO_DIR}/onnx
            ${ONNX_PROTO_DIR}/onnx/onnx.proto
    DEPENDS ${ONNX_PROTO_DIR}/onnx/onnx.proto VERBATIM)
  target_sources(${target} PRIVATE ${out}/onnx_schema/onnx.pb-c.c)
  set_source_files_properties(${out}/onnx_schema/onnx.pb-c.c PROPERTIES
    COMPILE_OPTIONS "-w" TARGET_DIRECTORY ${target})
  target_include_directories(${target} SYSTEM PRIVATE ${out})
  target_link_libraries(${target} PRIVATE PkgConfig::PROTOBUF_C)
  # For tests that make and take apart models of their own.
  add_library(admmnn_onnx_schema INTERFACE)
  target_include_directories(admmnn_onnx_schema SYSTEM INTERFACE ${out})
  target_link_libraries(admmnn_onnx_schema INTERFACE PkgConfig::PROTOBUF_C)
endfunction()

# admmnn_embedded_text(TARGET NAME FILES...): the files' text, one after another, as the target's
# C string of that name, which src/export/parts.h declares.
function(admmnn_embedded_text target name)
  set(out ${CMAKE_BINARY_DIR}/generated/${name}.c)
  list(TRANSFORM ARGN PREPEND ${CMAKE_SOURCE_DIR}/ OUTPUT_VARIABLE files)
  string(REPLACE ";" "|" list "${files}")
  add_custom_command(OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -DNAME=${name} -DOUT=${out} "-DFILES=${list}"
            -P ${CMAKE_SOURCE_DIR}/cmake/EmbedText.cmake
    DEPENDS ${files} ${CMAKE_SOURCE_DIR}/cmake/EmbedText.cmake VERBATIM)
  target_sources(${target} PRIVATE ${out})
endfunction()
