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
