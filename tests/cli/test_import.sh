#!/usr/bin/env bash
# ONNX files as a user has them: imported, inspected, run by the names of their tensors,
# written as whole numbers, trained further.
set -euo pipefail
# shellcheck source=tests/cli/support.sh
source "${0%/*}/support.sh"
make_job
expect 0 compress "$work/recipe.yaml" --out "$work/run" --quiet
packed=$work/run/model.admm

# What was imported is imported again to the same bytes.
expect 0 unpack "$packed" --out "$work/a.onnx"
expect 0 import "$work/a.onnx" --out "$work/b.onnx" --json
[[ $(json "$work/stdout" output) == "$work/b.onnx" ]] || fail "no output in its JSON"
cmp "$work/a.onnx" "$work/b.onnx" || fail "importing changed the model"
expect_error 2 "exists already" import "$work/a.onnx" --out "$work/b.onnx"

expect 0 inspect "$work/b.onnx"
has "$work/stdout" "inner-product"
expect 0 inspect "$work/b.onnx" --json
[[ $(json "$work/stdout" nodes 0 name) == fc1 ]] || fail "the first node is not fc1"
weights=$(json "$work/stdout" weights)
kept=$(json "$work/stdout" kept)
((kept > 0 && kept * 5 < weights)) || fail "$kept weights of $weights were kept"

# Whole numbers give the same values; levels that they do not hold are refused.
for form in int8 int4; do
    expect 0 unpack "$packed" --out "$work/$form.onnx" --weights "$form"
    expect 0 import "$work/$form.onnx" --out "$work/b.onnx" --force
    cmp "$work/a.onnx" "$work/b.onnx" || fail "$form holds other values"
done
expect_error 2 "float32, int8, int4" unpack "$packed" --out "$work/c.onnx" --weights int2

# Inputs and outputs may be named.
printf '\x93NUMPY\x01\x00\x76\x00%-117s\n' \
    "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 28, 28), }" >"$work/x.npy"
head -c 1568 /dev/zero >>"$work/x.npy"
expect 0 run "$work/a.onnx" --input "$work/x.npy" --output "$work/y.npy"
lacks "$work/stderr" "normalised"
LC_ALL=C sed 's/admmnn\.input/others.input/' "$work/a.onnx" >"$work/untold.onnx"
expect 0 run "$work/untold.onnx" --input "$work/x.npy" --output "$work/untold.npy"
has "$work/stderr" "untold.onnx does not say how pixels are normalised, and is given pixels / 255; floats"
# What is packed or exported says so, or what it is told.
expect 0 export-c "$work/untold.onnx" --out "$work/c" --name net
has "$work/stderr" "so says the header; --mean and --deviation say otherwise"
expect 0 export-c "$work/untold.onnx" --out "$work/c" --name net --mean 0.25 --deviation 0.5 --force
lacks "$work/stderr" "normalised"
has "$work/c/net.h" "(pixel / 255 - 0.25) * 2"
expect 0 pack "$work/untold.onnx" --out "$work/told.admm" --mean 0.25 --deviation 0.5
lacks "$work/stderr" "normalised"
expect 0 export-c "$work/told.admm" --out "$work/c" --name net --force
has "$work/c/net.h" "(pixel / 255 - 0.25) * 2"
expect_error 2 "--deviation is missing" pack "$work/untold.onnx" --out "$work/no.admm" --mean 0.25
expect 0 run "$work/a.onnx" --input "input=$work/x.npy" --output "logits=$work/z.npy"
cmp "$work/y.npy" "$work/z.npy" || fail "a name changes the output"
expect_error 2 "a.onnx calls its input 'input', not 'other'" run "$work/a.onnx" \
    --input "other=$work/x.npy" --output "$work/z.npy" -f
expect_error 2 "model.admm gives its output no name" run "$packed" \
    --input "$work/x.npy" --output "logits=$work/n.npy"
(
    cd "$work"
    expect_error 2 "calls its output 'logits', not 'logit'" run a.onnx --input x.npy \
        --output logit=n.npy
    [[ ! -e logit=n.npy ]] || fail "a slip in a name became a file"
    expect 0 run a.onnx --input x.npy --output ./logit=n.npy
)
rm "$work/logit=n.npy"
expect_error 2 "a.onnx reads 1" eval "$work/a.onnx" --data "$work/data" --mean 0.1,0.2,0.3 \
    --deviation 0.2,0.2,0.2

# Trained further: weights of zero stay, the same seed gives the same bytes.
expect 0 finetune "$work/int8.onnx" --data "$work/data" --out "$work/tuned.onnx" --epochs 2 --json
accuracy=$(json "$work/stdout" correct)
expect 0 eval "$work/tuned.onnx" --data "$work/data" --json
[[ $(json "$work/stdout" correct) == "$accuracy" ]] || fail "eval finds another accuracy"
expect 0 inspect "$work/tuned.onnx" --json
[[ $(json "$work/stdout" kept) == "$kept" ]] || fail "other weights are zero after training"
expect 0 finetune "$work/int8.onnx" --data "$work/data" --out "$work/twice.onnx" --epochs 2
cmp "$work/tuned.onnx" "$work/twice.onnx" || fail "the same seed trained to other bytes"
cmp -s "$work/tuned.onnx" "$work/a.onnx" && fail "training changed nothing"
expect_error 2 "are no whole multiples of an interval" unpack "$work/tuned.onnx" --out "$work/c.onnx" \
    --weights int8
no_leftovers "$work"
