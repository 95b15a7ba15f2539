#!/usr/bin/env bash
# Little memory: whatever the limit, a command does its work or says in one line what there was no
# room for.
set -euo pipefail
# shellcheck source=tests/cli/support.sh
source "${0%/*}/support.sh"
if ((sanitized)); then
    echo "skipped: a sanitizer wants address space without limit"
    exit 77
fi
make_job
expect 0 compress "$work/recipe.yaml" --out "$work/run" --quiet
"$MAKE_FOREIGN" "$work/run/model.onnx" "$work/net.onnx" softmax # which oneDNN runs
{
    npy_header '<f4' '1, 1, 28, 28'
    head -c 3136 /dev/zero
} >"$work/x.npy"

# The loader's own failures (127) are none of the program's.
limited() {
    local status=0
    (
        ulimit -v "$1"
        admmnn run "$work/net.onnx" --input "$work/x.npy" --output "$work/y.npy" --force \
            --threads 1 >"$work/stdout" 2>"$work/stderr"
    ) || status=$?
    case $status in
    0 | 127) ;;
    1) [[ $(wc -l <"$work/stderr") == 1 ]] || fail "not one line with $1 KiB" ;;
    *) fail "status $status with $1 KiB" ;;
    esac
    [[ $status != 127 ]]
}

least=32000
until limited "$least"; do least=$((least + 8000)); done
for ((kib = least - 8000; kib < least + 32000; kib += 1000)); do
    limited "$kib" || true
done
