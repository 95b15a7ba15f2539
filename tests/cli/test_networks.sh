#!/usr/bin/env bash
# Networks that are no chains, from images to the packed file: residual sums and depthwise
# convolutions. What is read back answers as what was packed; a run killed between
# two stages ends in the same bytes.
set -euo pipefail
# shellcheck source=tests/cli/support.sh
source "${0%/*}/support.sh"

mkdir "$work/set"
"$MAKE_IMAGES" "$work/set" 100 50

# evaluates_as_packed NAME: eval of the packed file, and of what it unpacks to, gives the
# accuracy that the run measured; packed again it is the same file.
evaluates_as_packed() {
    local out=$work/out-$1 file accuracy wanted
    wanted=$(json "$out/result.json" accuracy packed)
    [[ $wanted == "$(json "$out/result.json" accuracy compressed)" ]] ||
        fail "$1: packed $wanted, the engine has another accuracy"
    expect 0 unpack "$out/model.admm" --out "$work/unpacked.onnx" --force
    expect 0 pack "$work/unpacked.onnx" --out "$work/packed.admm" --force
    cmp "$out/model.admm" "$work/packed.admm" || fail "$1: another file after unpack and pack"
    local files=("$out/model.admm" "$out/small.onnx")
    ((sanitized)) || files+=("$out/model.onnx" "$work/unpacked.onnx") # the same network
    for file in "${files[@]}"; do
        expect 0 eval "$file" --data "$work/set" --format folder --json
        accuracy=$(json "$work/stdout" accuracy)
        [[ $accuracy == "$wanted" ]] || fail "$1: $file: accuracy $accuracy, not $wanted"
    done
}

# ---- a residual network, trained, pruned and quantized ----

cat >"$work/residual.yaml" <<END
model: resnet-20
dataset: {format: folder, path: set, size: 16, validation: 30, mean: [0.4, 0.5, 0.6], deviation: [0.2, 0.3, 0.25]}
seed: 3
training: {epochs: 2, batch: 35, optimizer: sgd, learning_rate: 0.05, weight_decay: 0.0001}
prune:
  rounds: [5]
  scope: per-layer
  keep: [{layer: conv1, keep: 0.9}, {layer: fc, keep: 0.5}]
  admm: {iterations: 2, epochs: 1, training: {batch: 35, optimizer: sgd, learning_rate: 0.01}}
  finish: {epochs: 2, batch: 35, optimizer: sgd, learning_rate: 0.01}
quantize:
  bits: [{layer: conv1, bits: 5}]
  max_bits: 4
  admm: {iterations: 1, training: {batch: 35}}
  fix: [0.5, 1]
  retrain: {epochs: 2, batch: 35}
END
expect 0 compress "$work/residual.yaml" --out "$work/out-residual" --threads 2 --quiet
has "$work/stdout" "  block1.1.conv1      2304      461   20.01%     4 "
has "$work/stdout" "  conv1                432      389   90.05%     5 "
[[ $(json "$work/out-residual/result.json" layers 19 name) == fc ]] || fail "not 20 layers"
evaluates_as_packed residual

expect 0 inspect "$work/out-residual/model.admm"
has "$work/stdout" "block3.3.conv2.bn.variance"
{
    npy_header '|u1' '3, 3, 16, 16'
    head -c $((3 * 3 * 16 * 16)) /dev/zero | tr '\0' '\100'
} >"$work/x.npy"
expect 0 run "$work/out-residual/model.admm" --input "$work/x.npy" --output "$work/y.npy"
(($(wc -c <"$work/y.npy") == 128 + 3 * 10 * 4)) || fail "not three times ten numbers"

# Killed when it has a checkpoint: after the dense training.
"$ADMMNN_BINARY" compress "$work/residual.yaml" --out "$work/out-killed" --threads 2 --quiet \
    >/dev/null 2>&1 &
child=$!
for ((i = 0; i < 6000; i++)); do
    [[ ! -s $work/out-killed/checkpoint/run.ckpt ]] || break
    sleep 0.01
done
kill -KILL "$child" 2>/dev/null || fail "the run was over before it could be killed"
wait "$child" 2>/dev/null || true
expect 0 compress "$work/residual.yaml" --out "$work/out-killed" --threads 2 --resume
has "$work/stderr" "admmnn: resumed: "
same_results "$work/out-residual" "$work/out-killed"

# ---- depthwise convolutions, as they are drawn ----

cat >"$work/depthwise.yaml" <<END
model: mobilenet-v2
dataset: {format: folder, path: set, size: 16, validation: 30, normalise: training}
training: {epochs: 0}
prune:
  method: one-shot
  rounds: [20]
  admm: {iterations: 0}
  finish: {epochs: 0}
quantize:
  bits: [{layer: fc, bits: 5}]
  admm: {iterations: 0}
  retrain: {epochs: 0}
END
expect 0 compress "$work/depthwise.yaml" --out "$work/out-depthwise" --threads 2 --quiet
evaluates_as_packed depthwise

# ---- a network larger than the memory there may be ----

sed -e 's/^model: .*/model: vgg-16/' -e 's/size: 16/size: 224/' -e '/^  scope:/d' -e '/^  keep:/d' \
    -e '/^  bits:/d' "$work/residual.yaml" >"$work/large.yaml"
if ((sanitized == 0)); then
    ulimit -S -v 2000000
    expect_error 1 "vgg-16 with 134301514 parameters, in batches of 64, needs at least" \
        compress "$work/large.yaml" --out "$work/out-large" --threads 2 --quiet
    has "$work/stderr" "MiB of memory; there are 1953: lower the batch"
    [[ ! -e $work/out-large ]] || fail "a folder of a run that cannot be"
fi
