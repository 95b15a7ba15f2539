#!/usr/bin/env bash
# Installs a build into a temporary folder, moves it, and builds and runs programs
# against it by pkg-config and by find_package, in C and in C++, shared and static:
# tests/install/check.sh BUILD.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
build=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
read -ra flags <<<"${CFLAGS:-}"

fail() {
    echo "install: $*" >&2
    exit 1
}

# DESTDIR first, then moved: the packages must find themselves.
DESTDIR=$work/stage cmake --install "$build" --prefix /usr >/dev/null
mv "$work/stage/usr" "$work/moved"
root=$work/moved
library=$(dirname "$(find "$root" -name libadmmnn.a)")
export PKG_CONFIG_PATH=$library/pkgconfig LD_LIBRARY_PATH=$library

for file in bin/admmnn share/man/man1/admmnn.1 share/bash-completion/completions/admmnn \
    include/admmnn/model.h; do
    [[ -s $root/$file ]] || fail "$file was not installed"
done
"$root/bin/admmnn" version | grep -q '^admmnn [0-9]' || fail "the installed program does not run"
bash -n "$root/share/bash-completion/completions/admmnn"

# Nothing is public but what the headers declare, and all of that is there: of the runtime
# its own header, of the library all others.
declared() {
    grep -hoE '\badmmnn_[a-z0-9_]+\(' "$@" | tr -d '(' | sort -u >"$work/declared"
}
exports() {
    nm --defined-only --format=posix "$@" | awk 'NF > 1 { print $1 }' | sort |
        diff "$work/declared" - || fail "${*: -1}: its names differ from the headers' (< >)"
}
headers=("$root"/include/admmnn/*.h)
declared "${headers[@]/%*\/runtime.h//dev/null}"
exports --dynamic "$library/libadmmnn.so"
exports --extern-only "$library/libadmmnn.a"
declared "$root/include/admmnn/runtime.h"
exports --dynamic "$library/libadmmnn-rt.so"
exports --extern-only "$library/libadmmnn-rt.a"

run() {
    "$1" | grep -q nonexistent || fail "$2: wrong output"
}
read -ra shared < <(pkg-config --cflags --libs admmnn)
read -ra static < <(pkg-config --cflags --libs --static admmnn)
strict=(-Wall -Wextra -Wpedantic -Werror)
"$CC" "${flags[@]}" "${strict[@]}" -std=c17 "$here/consumer.c" "${shared[@]}" -o "$work/shared"
run "$work/shared" "pkg-config, shared"
rm -rf "$work/archive" && mkdir "$work/archive" && cp "$library"/libadmmnn{,-rt}.a "$work/archive"
"$CC" "${flags[@]}" "${strict[@]}" -std=c17 "$here/consumer.c" "-L$work/archive" "${static[@]}" \
    -o "$work/static"
! ldd "$work/static" | grep -q libadmmnn || fail "pkg-config --static linked the shared library"
run "$work/static" "pkg-config, static"
if command -v c++ >/dev/null; then
    c++ "${strict[@]}" -std=c++11 -x c++ "$here/consumer.c" -x none "${shared[@]}" -o "$work/cpp"
    run "$work/cpp" "pkg-config, C++"
fi

# The runtime: by itself, with nothing but libm, in C99; and from its sources alone.
read -ra shared_rt < <(pkg-config --cflags --libs admmnn-rt)
"$CC" "${flags[@]}" "${strict[@]}" -std=c99 "$here/runner.c" "${shared_rt[@]}" -o "$work/runner"
"$work/runner" "$here/../../fuzz/corpus/admm/any.admm" || fail "pkg-config admmnn-rt: wrong output"
"$CC" "${flags[@]}" "${strict[@]}" -std=c99 -DFROM_SOURCES -I"$here/../../include" \
    -I"$here/../../src" "$here/runner.c" "$here"/../../runtime/*.c -lm -o "$work/runner_alone"
"$work/runner_alone" "$here/../../fuzz/corpus/admm/any.admm" || fail "the runtime's sources alone"
# Its header suits old programs too.
echo '#include <admmnn/runtime.h>' >"$work/old.c"
"$CC" "${strict[@]}" -std=c90 -fsyntax-only "${shared_rt[@]}" "$work/old.c"
if command -v c++ >/dev/null; then
    c++ "${strict[@]}" -std=c++98 -fsyntax-only "-I$root/include" -x c++ "$work/old.c"
fi

# The README's example.
# shellcheck disable=SC2016
sed -n '/^```c$/,/^```$/{//!p}' "$here/../../README.md" >"$work/example.c"
"$CC" "${flags[@]}" "${strict[@]}" -std=c17 "$work/example.c" "${shared[@]}" -o "$work/example"
status=0
"$work/example" /nonexistent 2>"$work/log" || status=$?
((status == 2)) || fail "the README's example: exit status $status"
grep -q nonexistent "$work/log" || fail "the README's example: wrong output"

cmake -S "$here" -B "$work/consumer" -G Ninja "-DCMAKE_PREFIX_PATH=$root" \
    "-DCMAKE_C_FLAGS=${CFLAGS:-}" >"$work/log" 2>&1 || { cat "$work/log"; fail "find_package"; }
cmake --build "$work/consumer" >"$work/log" 2>&1 || { cat "$work/log"; fail "find_package"; }
for program in "$work"/consumer/{shared_c,static_c,shared_cpp}; do
    [[ ! -e $program ]] || run "$program" "find_package, ${program##*/}"
done
for program in "$work"/consumer/runner_{shared,static}; do
    "$program" "$here/../../fuzz/corpus/admm/any.admm" || fail "find_package, ${program##*/}"
done
[[ -e $work/consumer/static_c ]] || fail "find_package built nothing"
