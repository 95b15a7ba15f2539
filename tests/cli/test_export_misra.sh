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

# A network of every operation and one of every function; in 8 bits one of all that has this form, and a chain of a convolution, a pooling
# and inner products.
make_arrays "$work/small-data" 20 2 9 7
make_arrays "$work/narrow-data" 20 4 5 5
expect 0 export-c "$models/any.admm" --out "$work/any" --name any
"$MAKE_FUNCTIONS" "$work/functions.admm"
expect 0 export-c "$work/functions.admm" --out "$work/functions" --name functions
expect 0 export-c "$models/narrow.admm" --out "$work/narrow" --name narrow --int8 \
    --data "$work/narrow-data" --format npy
expect 0 export-c "$models/entropy-huffman.admm" --out "$work/small" --name small --int8 \
    --data "$work/small-data" --format npy
for name in any functions narrow small; do
    cppcheck --addon=misra --std=c99 --quiet "$work/$name/$name.c"
done >"$work/found" 2>&1
grep -o 'misra-c2012-[0-9.]*' "$work/found" | sort -u >"$work/rules"
sed -n 's/^| Rule \([0-9.]*\),.*| cppcheck |$/misra-c2012-\1/p' "$here/docs/export.md" |
    sort -u >"$work/listed"
diff "$work/listed" "$work/rules" ||
    fail "rules that are broken (>) and docs/export.md does not list, or the other way round (<)"
