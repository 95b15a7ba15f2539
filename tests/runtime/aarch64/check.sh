#!/usr/bin/env bash
# The runtime on a 64-bit Arm processor, under QEMU: what NEON and the portable kernels make of the
# networks of its tests.
set -euo pipefail

if [[ -z ${RUN_CASES:-} ]] || ! command -v qemu-aarch64 >/dev/null; then
    echo "aarch64-linux-gnu-gcc or qemu-aarch64 is not installed" \
        "(scripts/install-dependencies aarch64, then cmake --preset release): skipped"
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$MAKE_CASES" "$work/cases" >"$work/log" 2>&1 || {
    cat "$work/log"
    exit 1
}
qemu-aarch64 "$RUN_CASES" "$work/cases" neon
