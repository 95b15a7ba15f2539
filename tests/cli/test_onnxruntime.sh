#!/usr/bin/env bash
# A compressed LeNet-5 as ONNX Runtime computes it: dense, as int8 and as int4, its data in the
# file and beside it, on all of MNIST's test images, and after another import.
# scripts/install-onnxruntime brings it.
set -euo pipefail
mnist=${XDG_CACHE_HOME:-$HOME/.cache}/admmnn/mnist
# shellcheck source=tests/cli/support.sh
source "${0%/*}/support.sh"
runtime=${0%/*}/../../build/onnxruntime
script=${0%/*}/../onnx/onnxruntime.cjs

skip() {
    echo "$1: skipped"
    exit 77
}

# What is compared are numbers, which an instrumented program computes ten times slower.
((sanitized == 0)) || skip "an instrumented program"
[[ -d $runtime/node_modules/onnxruntime-node ]] || skip "ONNX Runtime is not in build/onnxruntime"
command -v node >/dev/null || skip "node is not installed"
images=$mnist/t10k-images-idx3-ubyte
labels=$mnist/t10k-labels-idx1-ubyte
[[ -f $images && -f $labels ]] || skip "MNIST was not fetched"

# first COUNT FILE HEADER BYTES: the first COUNT elements of MNIST's training file, BYTES each
# behind HEADER bytes.
first() {
    {
        head -c 4 "$mnist/$2"
        # shellcheck disable=SC2059 # the number is written as bytes
        printf "$(printf '\\x%02x' 0 0 $(($1 / 256)) $(($1 % 256)))"
        head -c $(($3 + $1 * $4)) "$mnist/$2" | tail -c +9
    } >"$work/part/$2"
}

# The first training images alone: they suffice for a network that most images get right.
mkdir "$work/part"
first 8000 train-images-idx3-ubyte 16 784
first 8000 train-labels-idx1-ubyte 8 1
ln -s "$images" "$labels" "$work/part"

cat >"$work/recipe.yaml" <<END
model: lenet-5
dataset: {format: idx, path: $work/part, validation: 500}
seed: 1
training: {epochs: 1, learning_rate: 0.002}
prune:
  rounds: [10]
  admm: {iterations: 1, epochs: 1}
  retrain: {epochs: 1}
  finish: {epochs: 1}
quantize:
  bits: [{layer: conv1, bits: 3}, {layer: conv2, bits: 3}, {layer: fc1, bits: 3}, {layer: fc2, bits: 3}]
  admm: {iterations: 1, epochs: 1}
  retrain: {epochs: 1}
END
expect 0 compress "$work/recipe.yaml" --out "$work/run" --quiet

# agrees MODEL: outputs within 1e-4 and as many right.
agrees() {
    local figures
    expect 0 run "$1" --input "$work/x.npy" --output "$work/y.npy" --force
    figures=$(node "$script" "$runtime" compare "$1" "$work/x.npy" "$work/y.npy" "$labels") ||
        fail "$1: ONNX Runtime's outputs differ by ${figures:-more than can be told}"
    echo "${1##*/}: largest difference, right by ONNX Runtime, by the engine: $figures"
    read -r _ theirs ours <<<"$figures"
    ((theirs == ours && ours > 9500)) || fail "$1: $theirs right, and $ours"
}

for weights in float32 int8 int4; do
    expect 0 unpack "$work/run/model.admm" --out "$work/$weights.onnx" --weights "$weights"
    [[ -f $work/x.npy ]] ||
        node "$script" "$runtime" input "$work/$weights.onnx" "$images" "$work/x.npy"
    agrees "$work/$weights.onnx"
    expect 0 eval "$work/$weights.onnx" --data "$mnist" --json
    [[ $(json "$work/stdout" correct) == "$ours" ]] || fail "$weights: eval counts others right"
done
agrees "$work/run/model.onnx"

# It finds the data of a file of their own.
for weights in float32 int8; do
    expect 0 unpack "$work/run/model.admm" --out "$work/outside.onnx" --weights "$weights" \
        --external-data --force
    agrees "$work/outside.onnx"
done

# Whole numbers are read back as the same values, and pack to the same bytes.
for weights in int8 int4; do
    expect 0 import "$work/$weights.onnx" --out "$work/again.onnx" --force
    cmp "$work/again.onnx" "$work/float32.onnx" || fail "$weights: other values came back"
done
((4 * $(stat -c %s "$work/int8.onnx") < 2 * $(stat -c %s "$work/float32.onnx"))) ||
    fail "int8 is not half as large"
((4 * $(stat -c %s "$work/int4.onnx") < $(stat -c %s "$work/float32.onnx"))) ||
    fail "int4 is not a quarter as large"
