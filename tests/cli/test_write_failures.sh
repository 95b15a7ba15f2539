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

# A limit on the size of a file stands in for a disk that fills up where one may not
# mount any: write() fails in the middle of a file just as well. What the program
# itself prints stays far below the limits.
limited() {
    local kilobytes=$1
    shift
    (
        ulimit -f "$kilobytes"
        expect_error 1 "cannot write: File too large" "$@"
    )
    (($(wc -l <"$work/stderr") == 1)) || fail "$*: more than one line"
}

# The first checkpoint does not fit: no run was begun, and one may be.
limited 64 compress "$work/recipe.yaml" --out "$work/limited" --quiet
found=$(find "$work/limited" -type f)
[[ -z $found ]] || fail "left behind: $found"
expect 0 compress "$work/recipe.yaml" --out "$work/limited" --quiet
expect 0 compress "$work/recipe.yaml" --out "$work/calm" --quiet
same_results "$work/limited" "$work/calm"

# The results do not fit: what stands under their names stays, and the run goes on.
rm "$work/limited/result.json"
before=$(cksum "$work/limited"/*.* "$work/limited/checkpoint"/*)
limited 64 compress "$work/recipe.yaml" --out "$work/limited" --resume --quiet
[[ $(cksum "$work/limited"/*.* "$work/limited/checkpoint"/*) == "$before" ]] ||
    fail "a file changed, came or went"
expect 0 compress "$work/recipe.yaml" --out "$work/limited" --resume --quiet
same_results "$work/limited" "$work/calm"

# .npy: a header of 128 bytes, then 100 images; of their logits 4 kB.
{
    printf '\x93NUMPY\x01\x00\x76\x00'
    printf '%-117s\n' "{'descr': '|u1', 'fortran_order': False, 'shape': (100, 1, 28, 28), }"
    head -c $((16 + 100 * 784)) "$work/data/t10k-images-idx3-ubyte" | tail -c $((100 * 784))
} >"$work/x.npy"

# write_limited KILOBYTES FILE ARGUMENTS...: a new file, and one in the place
# of another.
write_limited() {
    local kilobytes=$1 file=$2
    shift 2
    mkdir "$work/new"
    limited "$kilobytes" "$@" "$work/new/$file" --quiet
    [[ -z $(ls -A "$work/new") ]] || fail "$1: left behind: $(ls -A "$work/new")"
    echo old >"$work/new/$file"
    limited "$kilobytes" "$@" "$work/new/$file" --quiet --force
    [[ $(ls -A "$work/new") == "$file" && $(<"$work/new/$file") == old ]] ||
        fail "$1: the file that was there is not"
    expect 0 "$@" "$work/new/$file" --quiet --force
    (($(stat -c %s "$work/new/$file") > 1024 * kilobytes)) || fail "$1: too small for this test"
    rm -r "$work/new"
}
write_limited 64 x.onnx unpack "$work/calm/model.admm" --out
write_limited 2 x.admm pack "$work/calm/model.onnx" --out
write_limited 2 y.npy run "$work/calm/model.admm" --input "$work/x.npy" --output

# A folder that is not there is told before the work, not after it.
expect_error 1 "absent/x.onnx: cannot write: No such file" finetune "$work/calm/model.onnx" \
    --data "$work/data" --out "$work/absent/x.onnx"
lacks "$work/stderr" "fine-tuning"
expect_error 1 "absent/x.svg: cannot write: No such file" bench "$work/calm/model.admm" \
    --break-even --plot "$work/absent/x.svg"

# Whole numbers that are no bytes would be taken for normalised ones.
{
    printf '\x93NUMPY\x01\x00\x76\x00'
    printf '%-117s\n' "{'descr': '<i8', 'fortran_order': False, 'shape': (1, 1, 28, 28), }"
    head -c $((8 * 784)) /dev/zero
} >"$work/whole.npy"
expect_error 2 "whole numbers of more than 8 bits" run "$work/calm/model.admm" \
    --input "$work/whole.npy" --output "$work/y.npy"

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
same_results "$work/disk/out" "$work/calm"

mount -o remount,ro "$work/disk"
expect_error 1 "Read-only file system" unpack "$work/calm/model.admm" --out "$work/disk/x.onnx" \
    --quiet
expect_error 1 "disk" compress "$work/recipe.yaml" --out "$work/disk/new" --quiet
