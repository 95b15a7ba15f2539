#!/usr/bin/env bash
# ONNX models whose data lie beside them: the same model either way, both files or neither.
set -euo pipefail
# shellcheck source=tests/cli/support.sh
source "${0%/*}/support.sh"
make_job
expect 0 compress "$work/recipe.yaml" --out "$work/run" --quiet
packed=$work/run/model.admm

# Outside, inside again, outside again: the same bytes.
mkdir "$work/a" "$work/b"
expect 0 unpack "$packed" --out "$work/inside.onnx"
expect 0 unpack "$packed" --out "$work/a/m.onnx" --external-data --json
[[ $(json "$work/stdout" data_bytes) == "$(stat -c %s "$work/a/m.onnx.data")" ]] ||
    fail "other data_bytes than the file has"
(($(stat -c %s "$work/a/m.onnx") < 10000)) || fail "the data are inside, too"
expect 0 import "$work/a/m.onnx" --out "$work/again.onnx" --json
[[ $(json "$work/stdout" data_bytes) == 0 ]] || fail "data_bytes without a file of data"
[[ ! -e $work/again.onnx.data ]] || fail "data outside unasked"
cmp "$work/again.onnx" "$work/inside.onnx" || fail "another model came back"
expect 0 import "$work/again.onnx" --out "$work/b/m.onnx" --external-data
has "$work/stdout" "; $work/b/m.onnx.data: $(stat -c %s "$work/b/m.onnx.data") bytes"
diff -r "$work/a" "$work/b" || fail "other files the second time"

# Read from elsewhere, as whole numbers, packed.
(cd / && expect 0 inspect "$work/a/m.onnx")
expect 0 unpack "$packed" --out "$work/int8.onnx" --weights int8 --external-data
expect 0 import "$work/int8.onnx" --out "$work/again.onnx" --force
cmp "$work/again.onnx" "$work/inside.onnx" || fail "int8 outside holds other values"
expect 0 pack "$work/a/m.onnx" --out "$work/again.admm"
expect 0 pack "$work/inside.onnx" --out "$work/inside.admm"
cmp "$work/again.admm" "$work/inside.admm" || fail "packs to another file"

# What has the name of either file stays, unasked.
rm "$work/b/m.onnx" && echo mine >"$work/b/m.onnx.data"
expect_error 2 "m.onnx.data: exists already; --force" import "$work/inside.onnx" \
    --out "$work/b/m.onnx" --external-data --quiet
[[ $(ls "$work/b") == m.onnx.data && $(<"$work/b/m.onnx.data") == mine ]] ||
    fail "a refusal changed the folder"
expect 0 import "$work/inside.onnx" --out "$work/b/m.onnx" --external-data --force
diff -r "$work/a" "$work/b" || fail "other files by --force"

# Nor are the input's own data replaced, by either file.
cp "$work/a/m.onnx" "$work/a/other.onnx"
for out in m.onnx m.onnx.data; do
    expect_error 2 "the output would replace its data, $work/a/m.onnx.data" \
        import "$work/a/other.onnx" --out "$work/a/$out" --external-data --force --quiet
done
rm "$work/a/other.onnx"
diff -r "$work/a" "$work/b" || fail "a refusal changed the folder"

# A model that has the name of the output's data stays.
cp "$work/inside.onnx" "$work/own.onnx.data"
for command in import unpack "finetune --data $work/data"; do
    # shellcheck disable=SC2086 # its words
    expect_error 2 "own.onnx.data: the output's data would replace the input" $command \
        "$work/own.onnx.data" --out "$work/own.onnx" --force --quiet
done
cmp "$work/own.onnx.data" "$work/inside.onnx" || fail "the input was replaced"
[[ ! -e $work/own.onnx ]] || fail "a refusal left a model"

# The data do not fit (a limit on the size of a file stands in for a full disk): the old pair
# stays, and a new one leaves nothing.
limited() {
    (
        ulimit -f 64
        expect_error 1 "m.onnx.data: cannot write: File too large" unpack "$packed" --out "$1" \
            --external-data --force --quiet
    )
}
limited "$work/b/m.onnx"
diff -r "$work/a" "$work/b" || fail "a failure changed the old files"
mkdir "$work/c"
limited "$work/c/m.onnx"
[[ -z $(ls -A "$work/c") ]] || fail "left behind: $(ls -A "$work/c")"

# Data that were cut, that are absent, or that are no file.
truncate -s -1 "$work/b/m.onnx.data"
expect_error 2 "does not hold" import "$work/b/m.onnx" --out "$work/x.onnx" --quiet
rm "$work/b/m.onnx.data"
expect_error 2 "m.onnx.data is absent" import "$work/b/m.onnx" --out "$work/x.onnx" --quiet
mkdir "$work/b/m.onnx.data"
expect_error 2 "m.onnx.data is absent" import "$work/b/m.onnx" --out "$work/x.onnx" --quiet
[[ ! -e $work/x.onnx ]] || fail "a model of damaged data was written"
expect_error 1 "m.onnx.data: cannot write: is a folder" import "$work/inside.onnx" \
    --out "$work/b/m.onnx" --external-data --force --quiet
no_leftovers "$work"
