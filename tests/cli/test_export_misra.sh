#!/usr/bin/env bash
# The C code of networks against MISRA C:2012, as far as cppcheck knows it: the rules it departs
# from are those that docs/export.md lists.
set -euo pipefail
# shellcheck source=tests/cli/support.sh
source "${0%/*}/support.sh"
here=$(cd "${0%/*}/../.." && pwd)
models=$here/fuzz/corpus/admm

command -v cppcheck >/dev/null || {
    echo "cppcheck is not installed (scripts/install-dependencies lint): skipped"
    exit 77
}

# npy FILE SHAPE: an array of bytes, those of standard input.
npy() {
    printf '\x93NUMPY\x01\x00\x76\x00%-117s\n' \
        "{'descr': '|u1', 'fortran_order': False, 'shape': ($2), }" >"$1"
    cat >>"$1"
}

# images FOLDER COUNT CHANNELS HEIGHT WIDTH: a data set of digits, all of class 0.
images() {
    local part
    for part in "$1"/train "$1"/test; do
        mkdir -p "$part"
        head -c $(($2 * $3 * $4 * $5)) <(seq 1000 99999 | tr -d '\n') |
            npy "$part/x.npy" "$2, $3, $4, $5"
        head -c "$2" /dev/zero | npy "$part/y.npy" "$2,"
    done
}

# A network of every operation, a residual one; a chain of convolution, pooling and inner products
# in 8 bits.
images "$work/data" 20 2 9 7
expect 0 export-c "$models/any.admm" --out "$work/any" --name any
expect 0 export-c "$models/residual.admm" --out "$work/residual" --name residual
expect 0 export-c "$models/entropy-huffman.admm" --out "$work/small" --name small --int8 \
    --data "$work/data" --format npy
for name in any residual small; do
    cppcheck --addon=misra --std=c99 --quiet "$work/$name/$name.c"
done >"$work/found" 2>&1
grep -o 'misra-c2012-[0-9.]*' "$work/found" | sort -u >"$work/rules"
sed -n \
    's/^| Rule \([0-9.]*\),.*| cppcheck |$/misra-c2012-\1/p' "$here/docs/export.md" |
    sort -u >"$work/listed"
diff "$work/listed" "$work/rules" ||
    fail "rules that are broken (>) and docs/export.md does not list, or the other way round (<)"
