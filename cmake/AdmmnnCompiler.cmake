# Warnings, optimisation and sanitizers shared by every target.
add_compile_options(-Wall -Wextra -Wpedantic -Wconversion -Werror -fno-math-errno)
# Contraction is left to the kernels that ask for it, so that scalar code gives
# the same bits under gcc and clang.
add_compile_options(-ffp-contract=off)
add_compile_definitions(_POSIX_C_SOURCE=200809L)
if(ADMMNN_SANITIZE)
  # Reports name lines; types and variables would only make files and links larger.
  add_compile_options(-fsanitize=${ADMMNN_SANITIZE} -fno-omit-frame-pointer -g1)
  add_link_options(-fsanitize=${ADMMNN_SANITIZE})
  if(ADMMNN_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize-recover=undefined)
  endif()
endif()
# The fuzzers see their way through the library only when it counts edges too.
if(ADMMNN_BUILD_FUZZERS)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# The unrolled tiles with every access checked take minutes at more than -O1, and at -O1 where
# nothing else is optimised, either.
set(instrumented_kernels $<$<NOT:$<CONFIG:Debug>>:-O1>)
# For the fuzzers those of vectors have their accesses checked alone, in a tenth of the time to
# compile: the runtime's portable ones, which are all counted and checked, go the same ways.
if(ADMMNN_BUILD_FUZZERS)
  list(APPEND instrumented_kernels -fno-sanitize=fuzzer-no-link,undefined)
endif()

# Kernels compiled once per instruction set and chosen at run time, their multiply-adds
# fused on purpose: src/PREFIX_WIDTH.c for the width of any processor, of AVX2 and FMA,
# and of AVX-512.
function(admmnn_kernels target prefix any avx2 avx512)
  set(kernels ${CMAKE_SOURCE_DIR}/src/${prefix})
  set(common -O3 -ffp-contract=fast -Wno-psabi)
  if(ADMMNN_SANITIZE)
    set(common ${instrumented_kernels} -ffp-contract=fast -Wno-psabi)
  endif()
  set_source_files_properties(${kernels}_${any}.c PROPERTIES COMPILE_OPTIONS "${common}"
    TARGET_DIRECTORY ${target})
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|amd64|AMD64")
    set_source_files_properties(${kernels}_${avx2}.c PROPERTIES
      COMPILE_OPTIONS "${common};-mavx2;-mfma" TARGET_DIRECTORY ${target})
    set_source_files_properties(${kernels}_${avx512}.c PROPERTIES
      COMPILE_OPTIONS "${common};-mavx512f;-mavx512bw;-mavx512vl;-mfma" TARGET_DIRECTORY ${target})
  else()
    set_source_files_properties(${kernels}_${avx2}.c ${kernels}_${avx512}.c PROPERTIES
      HEADER_FILE_ONLY ON TARGET_DIRECTORY ${target})
  endif()
endfunction()
