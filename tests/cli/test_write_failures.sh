#!/usr/bin/env bash
# Folders that cannot be written to, and disks that fill up in the middle of a run.
set -euo pipefail
# shellcheck source=tests/cli/support.sh
source "${0%/*}/support.sh"
make_job

# A file where a folder should be: root cannot write there either.
: >"$work/file"
expect_error 1 "file" compress "$work/recipe.yaml" --out "$work/file" --quiet
expect_error 1 "file" compress "$work/recipe.yaml" --out "$work/file/out" --quiet
ln -s nowhere "$work/link"
for job in compress compare; do
    expect_error 1 "link: cannot make the folder: the link leads nowhere" $job "$work/recipe.yaml" \
        --out "$work/link" --quiet
done
expect_error 1 "link: cannot make the folder: the link leads nowhere" compress \
    "$work/recipe.yaml" --out "$work/link/out" --quiet

if ((EUID != 0)); then # root may write anywhere
    mkdir "$work/closed" && chmod a-w "$work/closed"
    expect_error 1 "closed" compress "$work/recipe.yaml" --out "$work/closed" --quiet
    expect_error 1 "closed" compress "$work/recipe.yaml" --out "$work/closed/out" --quiet
fi

# Small disks need root and the right to mount.
mkdir "$work/disk"
if ((EUID != 0)) || ! mount -t tmpfs -o size=256k tmpfs "$work/disk" 2>/dev/null; then
    echo "no right to mount a small disk: the rest is skipped"
    exit 77
fi
at_exit+=("umount '$work/disk'")
expect_error 1 "No space left on device" compress "$work/recipe.yaml" --out "$work/disk/out" --quiet
[[ ! -e $work/disk/out/result.json && ! -e $work/disk/out/model.admm ]] ||
    fail "results on a full disk"
no_leftovers "$work/disk"

# Room for the checkpoint, not for the results: with more room it goes on from there.
mount -o remount,size=1700k "$work/disk"
expect 1 compress "$work/recipe.yaml" --out "$work/disk/out" --resume --quiet
has "$work/stderr" "No space left on device"
[[ ! -e $work/disk/out/result.json ]] || fail "a result that is not complete"
no_leftovers "$work/disk"
mount -o remount,size=16m "$work/disk"
expect 0 compress "$work/recipe.yaml" --out "$work/disk/out" --resume --quiet
expect 0 compress "$work/recipe.yaml" --out "$work/calm" --quiet
same_results "$work/disk/out" "$work/calm"

mount -o remount,ro "$work/disk"
expect_error 1 "Read-only file system" unpack "$work/calm/model.admm" --out "$work/disk/x.onnx" \
    --quiet
expect_error 1 "disk" compress "$work/recipe.yaml" --out "$work/disk/new" --quiet
