# Warnings, optimisation and sanitizers shared by every target.
add_compile_options(-Wall -Wextra -Wpedantic -Wconversion -Werror -fno-math-errno)
# Contraction is left to the kernels that ask for it, so that scalar code gives
# the same bits under gcc and clang.
add_compile_options(-ffp-contract=off)
add_compile_definitions(_POSIX_C_SOURCE=200809L)
if(ADMMNN_SANITIZE)
  add_compile_options(-fsanitize=${ADMMNN_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${ADMMNN_SANITIZE})
  if(ADMMNN_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize-recover=undefined)
  endif()
endif()
# The fuzzers see their way through the library only when it counts edges too.
if(ADMMNN_BUILD_FUZZERS)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# The lanes kernels: one file an instruction set, chosen at run time; their
# multiply-adds are fused on purpose.
function(admmnn_lanes_kernels target)
  set(kernels ${CMAKE_SOURCE_DIR}/src/engine/lanes)
  set(common -O3 -ffp-contract=fast -Wno-psabi)
  if(ADMMNN_SANITIZE) # the unrolled tiles with every access checked take minutes at -O3
    set(common -O1 -ffp-contract=fast -Wno-psabi)
  endif()
  set_source_files_properties(${kernels}_4.c PROPERTIES COMPILE_OPTIONS "${common}"
    TARGET_DIRECTORY ${target})
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|amd64|AMD64")
    set_source_files_properties(${kernels}_8.c PROPERTIES
      COMPILE_OPTIONS "${common};-mavx2;-mfma" TARGET_DIRECTORY ${target})
    set_source_files_properties(${kernels}_16.c PROPERTIES
      COMPILE_OPTIONS "${common};-mavx512f;-mavx512bw;-mavx512vl;-mfma" TARGET_DIRECTORY ${target})
  else()
    set_source_files_properties(${kernels}_8.c ${kernels}_16.c PROPERTIES
      HEADER_FILE_ONLY ON TARGET_DIRECTORY ${target})
  endif()
endfunction()
