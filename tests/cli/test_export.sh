#!/usr/bin/env bash
# A network as C code: compiled without a warning by the compilers there are, run under the
# sanitizers, as right as the packed file; what is refused, and what of that leaves nothing.
set -euo pipefail
# shellcheck source=tests/cli/support.sh
source "${0%/*}/support.sh"
board=$(cd "${0%/*}/../export/board" && pwd)
make_job
expect 0 compress "$work/recipe.yaml" --out "$work/run" --quiet
model=$work/run/model.admm

strict=(-std=c99 -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wundef
    -Wcast-qual -Wdouble-promotion -Wstrict-prototypes -Wmissing-prototypes -Werror)

# ---- what is written ----

expect 0 export-c "$model" --out "$work/c/deep" --name net --json
cp "$work/stdout" "$work/sizes.json"
[[ $(json "$work/sizes.json" name) == net ]] || fail "another name"
(($(json "$work/sizes.json" ram input) == 4 * 784)) || fail "another input"
(($(json "$work/sizes.json" kept) < $(json "$work/sizes.json" weights) / 10)) ||
    fail "more weights than were kept"
cd "$work/c/deep"
for compiler in cc gcc clang clang-14; do
    command -v "$compiler" >/dev/null || continue
    "$compiler" "${strict[@]}" -O2 -c net.c -o net.o || fail "$compiler complains"
done
cd "$OLDPWD"
# What calls it may be C++.
cat >"$work/c/deep/main.cpp" <<'END'
#include "net.h"

int main() {
    return net_predict(nullptr, nullptr) == -1 ? 0 : 1;
}
END
if command -v g++ >/dev/null; then
    g++ -std=c++11 -Wall -Wextra -Wpedantic -Werror "$work"/c/deep/{main.cpp,net.o} -o "$work/c/caller" ||
        fail "C++ does not find the function"
    "$work/c/caller" || fail "called from C++ it fails"
else
    echo "g++ is not installed: no caller in C++ was compiled"
fi
expect 0 export-c "$model" --out "$work/again" --name net
has "$work/stdout" "flash: weights "
has "$work/stdout" "RAM: values "
for file in net.c net.h; do
    cmp "$work/c/deep/$file" "$work/again/$file" || fail "another run, other bytes of $file"
done
no_leftovers "$work"

# ---- what it computes: as many right as eval counts, of images and labels of its own ----

tail -c +17 "$work/data/t10k-images-idx3-ubyte" >"$work/c/images.bin"
tail -c +9 "$work/data/t10k-labels-idx1-ubyte" | od -An -v -w1 -tu1 | tr -d ' ' >"$work/labels"
cc -std=c99 -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -I"$work/c/deep" \
    "$board/host.c" "$board/program.c" "$work/c/deep/net.c" -lm -o "$work/c/program"
(cd "$work/c" && ./program) | grep -v instructions >"$work/classes"
right=$(paste "$work/classes" "$work/labels" | awk '$1 == $2' | wc -l)
expect 0 eval "$model" --data "$work/data" --json
((right == $(json "$work/stdout" correct))) || fail "$right right, as the packed file not"

# ---- in 8 bits ----

expect 0 export-c "$model" --out "$work/int8" --name net --int8 --data "$work/data" --json
(($(json "$work/stdout" ram values_int8) * 4 == $(json "$work/stdout" ram values))) ||
    fail "values of 8 bits take not a quarter"
cc "${strict[@]}" -c "$work/int8/net.c" -o "$work/int8/net.o"
cc -std=c99 -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -DPROGRAM_INT8 \
    -I"$work/int8" "$board/host.c" "$board/program.c" "$work/int8/net.c" -lm -o "$work/c/program"
(cd "$work/c" && ./program) | grep -v instructions >"$work/classes8"
differing=$(paste "$work/classes8" "$work/classes" | awk '$1 != $2' | wc -l)
((differing <= 6)) || fail "$differing of 200 images have another class in 8 bits"
# A network of all that has this form.
make_arrays "$work/arrays" 20 4 5 5
expect 0 export-c "${0%/*}/../../fuzz/corpus/admm/narrow.admm" --out "$work/narrow" --name net \
    --int8 --data "$work/arrays" --format npy
# Floats are taken as they are: no means of pixels are of them.
make_arrays "$work/floats" 20 16 5 5
sed -i "s/'|u1'/'<f4'/; s/(20, 16,/(20,  4,/" "$work"/floats/*/x.npy
expect_error 2 "are floats, and taken as they are" eval \
    "${0%/*}/../../fuzz/corpus/admm/narrow.admm" --data "$work/floats" --format npy --mean 0.5 \
    --deviation 0.5
cat >"$work/narrow/main.c" <<'END'
#include <stdlib.h>

#include "net.h"

/* Its arrays end where the sanitizer sees it. */
int main(void) {
    int8_t *in = malloc(NET_INPUTS);
    int8_t *out = malloc(NET_OUTPUTS);
    for (unsigned i = 0; i < NET_INPUTS; i++)
        in[i] = (int8_t)(i * 89 % 255 - 127);
    int status = net_predict_int8(in, out);
    free(in);
    free(out);
    return status;
}
END
cc "${strict[@]}" -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all \
    "$work/narrow/net.c" -c -o "$work/narrow/net.o"
cc -std=c99 -fsanitize=address,undefined "$work/narrow"/{main.c,net.o} -lm \
    -o "$work/narrow/program"
"$work/narrow/program" || fail "that network's function of 8 bits failed"
expect_error 2 "--data: no images are read without --int8" export-c "$model" --out "$work/none" --data "$work/data" --quiet
expect_error 2 "train-images" export-c "$model" --out "$work/none8/deep" --int8 --data "$work" --quiet
expect_error 2 "nowhere" export-c "$model" --out "$work/none8/deep" --int8 \
    --data "$work/nowhere" --quiet
sed -e '/^prune:/,$d' "$work/recipe.yaml" >"$work/dense.yaml"
printf 'prune: {method: none}\nquantize: {enabled: false}\n' >>"$work/dense.yaml"
expect 0 compress "$work/dense.yaml" --out "$work/dense" --quiet
expect_error 2 "node fc1: weights of 32 bits have no form in 8 bits; leave --int8 out" export-c \
    "$work/dense/model.onnx" --out "$work/none8" --int8 --data "$work/data" --quiet
[[ ! -e $work/none8 ]] || fail "what was refused left a folder"

# ---- no name of it is one of C's or of the system's headers ----

headers=(assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal
    stdarg stdbool stddef stdint stdio stdlib string strings time unistd wchar wctype)
included=()
for header in "${headers[@]}"; do
    included+=(-include "$header.h")
done
"$MAKE_FUNCTIONS" "$work/functions.admm"
expect 0 export-c "$work/functions.admm" --out "$work/functions" --name net
expect 0 export-c "${0%/*}/../../fuzz/corpus/admm/any.admm" --out "$work/any" --name net
for folder in functions any narrow; do
    cc -std=c11 -D_GNU_SOURCE "${strict[@]:1}" "${included[@]}" -c "$work/$folder/net.c" \
        -o "$work/$folder/net.o" || fail "$folder: a name is one of a header's"
done

# ---- an ONNX model, the network's name ----

expect 0 export-c "$work/run/model.onnx" --out "$work/onnx"
[[ -s $work/onnx/lenet_300_100.c && -s $work/onnx/lenet_300_100.h ]] || fail "another name"
cc "${strict[@]}" -c "$work/onnx/lenet_300_100.c" -o "$work/onnx/net.o"

# ---- what is refused ----

expect_error 2 "net.c: exists already; --force replaces it" export-c "$model" \
    --out "$work/again" --name net --quiet
rm "$work/again/net.c"
expect_error 2 "net.h: exists already" export-c "$model" --out "$work/again" --name net --quiet
[[ ! -e $work/again/net.c ]] || fail "one of the two files was written"
expect 0 export-c "$model" --out "$work/again" --name net --force
cmp "$work/c/deep/net.c" "$work/again/net.c"
for name in 9net a-b "a b" _net 'x;y' "ä" a23456789012345678901234567890123; do
    expect_error 2 "no name of a C function" export-c "$model" --out "$work/none" \
        --name "$name" --quiet
done
for name in math stdint string Math threads features alloca newlib; do
    expect_error 2 "'$name': $name.h is a header of C's or of the system's; give another name" export-c "$model" \
        --out "$work/none" --name "$name" --quiet
done
# Whatever the compiler's math.h and its like include, by that name.
printf '#include <%s.h>\n' limits math stddef stdint stdio stdlib >"$work/headers.c"
for path in $(cc -std=c99 -M "$work/headers.c"); do
    name=${path##*/} folder=${path%/*}
    name=${name%.h}
    [[ $folder == */include && $name =~ ^[A-Za-z][A-Za-z0-9_]*$ ]] || continue
    expect_error 2 "'$name': $name.h is a header of" export-c "$model" --out "$work/none" \
        --name "$name" --quiet
done
expect 0 export-c "$model" --out "$work/long" --name mathematics
expect 0 export-c "$model" --out "$work/long" --name a234567890123456789012345678901
expect_error 2 "--out" export-c "$model" --quiet
expect_error 2 "absent.admm" export-c "$work/absent.admm" --out "$work/none" --quiet
head -c 300 "$model" >"$work/cut.admm"
expect_error 2 "cut.admm" export-c "$work/cut.admm" --out "$work/none" --quiet
expect_error 2 "recipe.yaml" export-c "$work/recipe.yaml" --out "$work/none" --quiet
[[ ! -e $work/none ]] || fail "a folder was made for nothing"
: >"$work/file"
expect_error 1 "file" export-c "$model" --out "$work/file" --quiet
expect_error 1 "file" export-c "$model" --out "$work/file/deep" --quiet
# Told before the images are read, which are not there either. Root too makes nothing in /proc.
expect_error 1 "/proc/a file: cannot write" export-c "$model" --out /proc/none/deep --int8 \
    --data "$work/nowhere" --quiet
if ((EUID != 0)); then # root may write anywhere
    mkdir "$work/closed" && chmod a-w "$work/closed"
    expect_error 1 "closed" export-c "$model" --out "$work/closed" --quiet
fi
(
    ulimit -f 8
    expect_error 1 "cannot write: File too large" export-c "$model" --out "$work/full" --quiet
)
[[ -z $(find "$work/full" -type f) ]] || fail "part of a file is left"
no_leftovers "$work"
