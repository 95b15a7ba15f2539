#!/usr/bin/env bash
# A whole run as a user does it, and what is done with its results afterwards.
set -euo pipefail
# shellcheck source=tests/cli/support.sh
source "${0%/*}/support.sh"
make_job

expect 0 compress "$work/recipe.yaml" --out "$work/a" --quiet
[[ ! -s $work/stderr ]] || fail "--quiet wrote to standard error"
has "$work/stdout" "fc1"
has "$work/stdout" "the real file"
cp "$work/stdout" "$work/table"
for file in model.admm model.onnx small.onnx result.json report.html log.jsonl; do
    [[ -s $work/a/$file ]] || fail "$file is missing or empty"
done
no_leftovers "$work/a"

# The same recipe, seed and threads give the same bytes; --json is result.json.
expect 0 compress "$work/recipe.yaml" -o "$work/b" --json
same_results "$work/a" "$work/b"
cmp "$work/stdout" "$work/b/result.json" || fail "--json is not result.json"
[[ $(json "$work/stdout" seed) == 1 ]] || fail "the recipe's seed was not taken"
for key in dense pruned compressed packed; do
    json "$work/stdout" accuracy "$key" >/dev/null
done
for key in pruning data_only relative_indices with_indices file; do
    json "$work/stdout" ratio "$key" >/dev/null
done
bytes=$(json "$work/stdout" bytes file)
((bytes == $(stat -c %s "$work/b/model.admm"))) || fail "bytes.file is not the file's size"
total=0
for ((i = 0; i < 3; i++)); do
    for key in name weights kept bits index_bits bytes; do
        json "$work/stdout" layers "$i" "$key" >/dev/null
    done
    total=$((total + $(json "$work/stdout" layers "$i" weights)))
done
((total == 266200)) || fail "$total weights in LeNet-300-100"

# Another seed, other bytes.
expect 0 compress "$work/recipe.yaml" --out "$work/c" --seed 2 --json
[[ $(json "$work/stdout" seed) == 2 ]] || fail "--seed was not taken"
! cmp -s "$work/a/model.admm" "$work/c/model.admm" || fail "two seeds gave the same file"

# A finished folder is not written to; --resume shows the table again and redoes nothing.
stamp=$(stat -c %Y.%i "$work/a"/*)
expect_error 2 "holds a finished run" compress "$work/recipe.yaml" --out "$work/a" --quiet
expect 0 compress "$work/recipe.yaml" --out "$work/a" --resume
cmp "$work/stdout" "$work/table" || fail "--resume shows another table"
[[ $(stat -c %Y.%i "$work/a"/*) == "$stamp" ]] || fail "--resume wrote to a finished run"
threads=$(json "$work/a/result.json" threads)
expect_error 2 "holds a run with $threads threads" compress "$work/recipe.yaml" --out "$work/a" \
    --resume --threads $((threads + 1)) --quiet
expect_error 2 "holds a run with seed 1" compress "$work/recipe.yaml" --out "$work/a" --resume \
    --seed 2 --quiet
change_images
expect_error 2 "holds a run with other training images" compress "$work/recipe.yaml" \
    --out "$work/a" --resume --quiet
restore_images
expect 0 show "$work/a"
cmp "$work/stdout" "$work/table" || fail "show prints another table"
expect 0 show "$work/a" --json
cmp "$work/stdout" "$work/a/result.json" || fail "show --json is not result.json"

# What is gone from a finished run, or is empty, is made again from the checkpoint, and so is a
# model that is damaged; without one the run is not whole, and that is said.
# spoil HOW FILE
spoil() {
    case $1 in
        gone) rm -f "$2" ;;
        empty) : >"$2" ;;
        damaged) printf 'x' | dd of="$2" bs=1 seek=100 conv=notrunc status=none ;;
    esac
}
# made_again HOW FILE TEXT
made_again() {
    rm -rf "$work/gone" && cp -r "$work/a" "$work/gone"
    spoil "$1" "$work/gone/$2"
    expect 0 compress "$work/recipe.yaml" --out "$work/gone" --resume --quiet
    [[ -s $work/gone/report.html ]] || fail "report.html was not made again"
    same_results "$work/a" "$work/gone"
    spoil "$1" "$work/gone/$2"
    rm -r "$work/gone/checkpoint"
    before=$(ls -lR "$work/gone")
    expect_error 2 "$2: $3 a finished run, and no " compress "$work/recipe.yaml" \
        --out "$work/gone" --resume --quiet
    [[ $(ls -lR "$work/gone") == "$before" ]] || fail "a refused run changed its folder"
}
for file in model.admm model.onnx small.onnx log.jsonl report.html; do
    made_again gone "$file" "gone from"
    made_again empty "$file" "not as left by"
done
made_again damaged model.admm "not as left by"

# The packed file is complete in itself, and as good as its dense ONNX twin.
expect 0 eval "$work/a/model.admm" --data "$work/data" --json
cp "$work/stdout" "$work/eval.json"
[[ $(json "$work/eval.json" accuracy) == $(json "$work/a/result.json" accuracy packed) ]] ||
    fail "eval differs from accuracy.packed"
(($(json "$work/eval.json" count) == 200)) || fail "eval did not take the test images"
expect 0 eval "$work/a/model.onnx" --data "$work/data" --json
[[ $(json "$work/stdout" correct) == $(json "$work/eval.json" correct) ]] ||
    fail "the ONNX model answers otherwise"
expect 0 inspect "$work/a/model.admm"
has "$work/stdout" "fc1"
expect 0 inspect "$work/a/model.admm" --json
json "$work/stdout" >/dev/null

# Unpacked and packed again: the same bytes. Nothing is overwritten without --force.
expect 0 unpack "$work/a/model.admm" --out "$work/again.onnx"
expect 0 pack "$work/again.onnx" --out "$work/again.admm" --json
cmp "$work/again.admm" "$work/a/model.admm" || fail "packing what was unpacked gave other bytes"
(($(json "$work/stdout" output_bytes) == bytes)) || fail "pack --json gives another size"
expect_error 2 "again.admm" pack "$work/again.onnx" --out "$work/again.admm" --positions bitmap
cmp "$work/again.admm" "$work/a/model.admm" || fail "pack without --force overwrote a file"
expect 0 pack "$work/again.onnx" --out "$work/again.admm" --positions bitmap --values fixed -f
! cmp -s "$work/again.admm" "$work/a/model.admm" || fail "--positions made no difference"
expect 0 eval "$work/again.admm" --data "$work/data" --json
[[ $(json "$work/stdout" correct) == $(json "$work/eval.json" correct) ]] ||
    fail "another coder, other answers"
for option in --positions --values; do
    expect_error 2 "$option: 'zebra'" pack "$work/again.onnx" --out "$work/x.admm" $option zebra
done

# A name that is not UTF-8 does not break the JSON; its bytes are told as U+FFFD.
odd=$work/$'na\xefve \xe2\x82\xac.admm'
cp "$work/a/model.admm" "$odd"
expect 0 eval "$odd" --data "$work/data" --json
iconv -f UTF-8 -t UTF-8 "$work/stdout" >/dev/null || fail "--json is not UTF-8"
[[ $(json "$work/stdout" model) == "$work/"$'na\xef\xbf\xbdve \xe2\x82\xac.admm' ]] || fail "not the model's name"

# An .npy of three images of uint8 pixels: a header of 128 bytes, then the pixels.
{
    printf '\x93NUMPY\x01\x00\x76\x00'
    printf '%-117s\n' "{'descr': '|u1', 'fortran_order': False, 'shape': (3, 1, 28, 28), }"
    head -c $((16 + 3 * 784)) "$work/data/t10k-images-idx3-ubyte" | tail -c $((3 * 784))
} >"$work/x.npy"
expect 0 run "$work/a/model.admm" --input "$work/x.npy" --output "$work/y.npy" --json
(($(json "$work/stdout" outputs) == 10)) || fail "run --json: not ten outputs"
expect_error 2 "y.npy: exists already; --force" run "$work/a/model.admm" --input "$work/x.npy" \
    --output "$work/y.npy" --quiet
expect_error 2 "would replace the model" run "$work/a/model.admm" --input "$work/x.npy" \
    --output "$work/a/model.admm" --force --quiet
expect 0 run "$work/a/model.admm" --input "$work/x.npy" --output "$work/y.npy" --force
(($(tail -c +129 "$work/y.npy" | wc -c) == 3 * 10 * 4)) || fail "y.npy is not 3 x 10 floats"
# The largest logit is the label's (accuracy here is perfect; od gives the floats).
labels=$(od -An -tu1 -j8 -N3 "$work/data/t10k-labels-idx1-ubyte" | tr -s ' ' ' ')
answers=$(od -An -v -w40 -tf4 -j128 "$work/y.npy" |
    awk '{ best = 1; for (i = 2; i <= 10; i++) if ($i > $best) best = i; printf " %d", best - 1 }')
[[ $answers == "${labels% }" ]] || fail "labels$labels, answers$answers"
