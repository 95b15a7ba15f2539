#!/usr/bin/env bash
# Networks of the user's own, compressed by a recipe that names their file: our export, another
# exporter's form of it with a softmax, a packed file; trained further or not; killed and gone
# on with; compared; and README's recipe as it stands there.
set -euo pipefail
# shellcheck source=tests/cli/support.sh
source "${0%/*}/support.sh"
mkdir "$work/data"
"$MAKE_DATASET" "$work/data" 600 200

# Little training, on pixels that are normalised: its loss tells the network from others.
cat >"$work/dense.yaml" <<END
model: lenet-300-100
dataset: {format: idx, path: data, validation: 100, normalise: training}
training: {epochs: 1, batch: 50, learning_rate: 0.0005}
prune: {method: none}
quantize: {enabled: false}
END
expect 0 compress "$work/dense.yaml" --out "$work/dense" --quiet

# dense_loss DIR: of the network that pruning began with.
dense_loss() {
    grep '"event":"dense"' "$1/log.jsonl" | grep -oE '"validation_loss":[0-9.]+'
}
loss=$(dense_loss "$work/dense")
grep -qE ':0\.0*[1-9]' <<<"$loss" || fail "no loss to tell networks by: $loss"

# make_recipe NAME MODEL KEEP BITS [LINE]: of seconds.
make_recipe() {
    cat >"$work/$1.yaml" <<END
model: $2
dataset: {format: idx, path: data, validation: 100}
${5:-}
prune:
  scope: per-layer
  rounds: [5, 10]
  keep: [{layer: $3, keep: 0.05}]
  admm: {iterations: 2, epochs: 1, training: {batch: 50}}
  retrain: {epochs: 1, batch: 50}
  finish: {epochs: 2, batch: 50, distill: 0.5}
quantize:
  bits: [{layer: $4, bits: 3}]
  max_bits: 4
  admm: {iterations: 2, epochs: 1, training: {batch: 50}}
  retrain: {epochs: 2, batch: 50}
END
}

# compresses NAME: the run begins with the network that was imported, and what it leaves
# answers as it measured.
compresses() {
    local out=$work/out-$1 file wanted
    expect 0 compress "$work/$1.yaml" --out "$out" --threads 2 --quiet
    [[ $(dense_loss "$out") == "$loss" ]] || fail "$1 begins with another network"
    wanted=$(json "$out/result.json" accuracy packed)
    local files=(model.admm small.onnx)
    ((sanitized)) || files+=(model.onnx) # what model.admm unpacks to
    for file in "${files[@]}"; do
        expect 0 eval "$out/$file" --data "$work/data" --json
        [[ $(json "$work/stdout" accuracy) == "$wanted" ]] || fail "$1: $file: another accuracy"
    done
}

# ---- our own export, without more training ----

make_recipe own dense/model.onnx fc1 fc2
compresses own
[[ $(json "$work/out-own/result.json" model) == dense/model.onnx ]] || fail "another model"
[[ $(json "$work/out-own/result.json" layers 0 kept) == 11760 ]] || fail "fc1 keeps not 5 %"
[[ $(json "$work/out-own/result.json" layers 1 bits) == 3 ]] || fail "fc2 has not 3 bits"
[[ $(json "$work/out-own/result.json" layers 2 bits) == 4 ]] || fail "fc3 has not 4 bits"
expect 0 import "$work/dense/model.onnx" --out "$work/again.onnx"
[[ $(json "$work/out-own/result.json" model_sha256) == "$(sha256sum <"$work/again.onnx" | cut -d ' ' -f 1)" ]] ||
    fail "the digest is not of the imported file"
expect 0 show "$work/out-own"
has "$work/stdout" "dense/model.onnx on "

# ---- another exporter's form: MatMul and Add, Constants, any order, a softmax ----

long=/classifier/with/a/long/path
"$MAKE_FOREIGN" "$work/dense/model.onnx" "$work/foreign.onnx" softmax
make_recipe foreign foreign.onnx $long/fc1/MatMul ier/with/a/long/path/fc2/MatMul
compresses foreign
for file in model.onnx small.onnx; do
    for name in $long/fc1/MatMul $long/Softmax; do
        grep -qaF "$name" "$work/out-foreign/$file" || fail "$file has lost the name $name"
    done
done
[[ $(json "$work/out-foreign/result.json" layers 0 kept) == 11760 ]] || fail "fc1 keeps not 5 %"
[[ $(json "$work/out-foreign/result.json" layers 1 bits) == 3 ]] || fail "fc2 has not 3 bits"
# Its outputs are probabilities still.
npy_header '<f4' '2, 1, 28, 28' >"$work/x.npy"
head -c $((2 * 784 * 4)) /dev/zero >>"$work/x.npy"
for file in model.admm small.onnx; do
    expect 0 run "$work/out-foreign/$file" --input "$work/x.npy" --output "$work/y.npy" --force
    tail -c 80 "$work/y.npy" | od -An -v -w40 -tf4 |
        awk '{ s = 0; for (i = 1; i <= 10; i++) s += $i; if (s < 0.9999 || s > 1.0001) exit 1 }' ||
        fail "$file gives no probabilities"
done

# ---- killed, and gone on with; not with another network ----

"$ADMMNN_BINARY" compress "$work/foreign.yaml" --out "$work/killed" --threads 2 --quiet \
    >/dev/null 2>&1 &
child=$!
for ((i = 0; i < 6000; i++)); do
    [[ ! -s $work/killed/checkpoint/run.ckpt ]] || break
    sleep 0.01
done
kill -KILL "$child" 2>/dev/null || fail "the run was over before it could be killed"
wait "$child" 2>/dev/null || true
cp "$work/foreign.onnx" "$work/kept.onnx"
"$MAKE_FOREIGN" "$work/out-own/model.onnx" "$work/foreign.onnx" softmax
expect_error 2 "made from another network than that of" compress "$work/foreign.yaml" \
    --out "$work/killed" --threads 2 --resume --quiet
expect_error 2 "holds a run from another network than that of" compress "$work/foreign.yaml" \
    --out "$work/out-foreign" --threads 2 --resume --quiet
mv "$work/kept.onnx" "$work/foreign.onnx"
expect 0 compress "$work/foreign.yaml" --out "$work/killed" --threads 2 --resume
has "$work/stderr" "admmnn: resumed: "
lacks "$work/stderr" "normalised"
same_results "$work/out-foreign" "$work/killed"
expect 0 compress "$work/foreign.yaml" --out "$work/killed" --threads 2 --resume --quiet

# ---- a packed file; trained further ----

expect 0 pack "$work/dense/model.onnx" --out "$work/packed.admm"
make_recipe packed packed.admm fc1 fc2
compresses packed
make_recipe tuned foreign.onnx $long/fc1/MatMul $long/fc2/MatMul \
    "training: {epochs: 1, batch: 50, learning_rate: 0.0005}"
expect 0 compress "$work/tuned.yaml" --out "$work/out-tuned" --threads 2 --quiet
(($(grep -c '"kind":"epoch","stage":"fine-tuning"' "$work/out-tuned/log.jsonl") == 1)) ||
    fail "not one epoch of fine-tuning"
awk -v a="${loss#*:}" -v b="$(dense_loss "$work/out-tuned" | cut -d : -f 2)" \
    'BEGIN { exit !(b < a) }' || fail "more training did not lower the loss"
# finetune, too, trains by what the softmax reads.
expect 0 finetune "$work/foreign.onnx" --data "$work/data" --out "$work/f.onnx" --epochs 1 --json
awk -v a="${loss#*:}" -v b="$(json "$work/stdout" loss)" 'BEGIN { exit !(b < a) }' ||
    fail "finetune did not lower the loss"

# ---- compared with the controls ----

expect 0 compare "$work/foreign.yaml" --out "$work/compared" --seeds 1 --ratios 10 \
    --methods admm,random,dense --threads 2 --quiet
[[ $(json "$work/compared/comparison.json" model) == foreign.onnx ]] || fail "another model compared"
[[ $(dense_loss "$work/compared/comparison-runs/admm-10x-seed-1") == "$loss" ]] ||
    fail "the comparison begins with another network"
cp "$work/foreign.onnx" "$work/kept.onnx"
"$MAKE_FOREIGN" "$work/out-own/model.onnx" "$work/foreign.onnx" softmax
rm "$work/compared/comparison.json"
expect_error 2 "made from another network than that of" compare "$work/foreign.yaml" \
    --out "$work/compared" --seeds 1 --ratios 10 --methods admm,random,dense --threads 2 --resume \
    --quiet
mv "$work/kept.onnx" "$work/foreign.onnx"

# ---- what is refused, before anything is trained or written ----

# refuses MODEL KEEP MESSAGE
refuses() {
    make_recipe bad "$1" "$2" "$2"
    expect_error 2 "$3" compress "$work/bad.yaml" --out "$work/bad" --quiet
    [[ ! -e $work/bad ]] || fail "a folder was made for $1"
}
refuses absent.onnx fc1 "absent.onnx: cannot open"
refuses lenet-6 fc1 "bad.yaml:1: model: no .onnx or .admm file: no network named 'lenet-6'"
refuses foreign.onnx fc1 "foreign.onnx has no layer 'fc1'; there are ier/with/a/long/path/fc1/MatMul, "
# What it does not say of its pixels is told before anything is looked at.
LC_ALL=C sed 's/admmnn\.input/others.input/' "$work/foreign.onnx" >"$work/untold.onnx"
make_recipe bad untold.onnx fc1 fc1
expect_error 2 "has no layer 'fc1'" compress "$work/bad.yaml" --out "$work/bad"
has "$work/stderr" "untold.onnx does not say how pixels are normalised"
make_recipe bad foreign.onnx fc1 fc1
expect_error 2 "has no layer 'fc1'" compress "$work/bad.yaml" --out "$work/bad"
lacks "$work/stderr" "normalised"
cp "$work/bad.yaml" "$work/text.onnx"
refuses text.onnx fc1 "text.onnx: not an ONNX model"
"$MAKE_FOREIGN" "$work/dense/model.onnx" "$work/folded.onnx" folded
refuses folded.onnx fc1 "folded.onnx: node sifier/with/a/long/path/Softmax: a softmax that is not the last"
sed -e 's/^model: .*/model: mlp-bn-16/' "$work/dense.yaml" >"$work/mlp.yaml"
expect 0 compress "$work/mlp.yaml" --out "$work/mlp" --quiet
"$MAKE_FOREIGN" "$work/mlp/model.onnx" "$work/shared.onnx" shared
refuses shared.onnx fc1 "are one tensor, and would be compressed apart; 'admmnn import'"
mkdir "$work/set"
"$MAKE_IMAGES" "$work/set" 100 50
make_recipe bad foreign.onnx fc1 fc1
sed -i 's/format: idx, path: data, validation: 100/format: folder, path: set, validation: 30/' \
    "$work/bad.yaml"
expect_error 2 "images of 3x28x28 in 10 classes; $work/foreign.onnx wants 1x28x28 and tells 10 apart" \
    compress "$work/bad.yaml" --out "$work/bad" --quiet

# Each with weights of its own, and batch normalization, it is compressed.
expect 0 import "$work/shared.onnx" --out "$work/apart.onnx"
name=$(json "$work/mlp/result.json" layers 1 name)
make_recipe apart apart.onnx "$long/$name/MatMul" "$long/$name/MatMul"
expect 0 compress "$work/apart.yaml" --out "$work/out-apart" --threads 2 --quiet
expect 0 inspect "$work/out-apart/model.admm"
has "$work/stdout" ".variance"

# ---- README's recipe, on smaller images ----

# shellcheck disable=SC2016 # backticks of Markdown
sed -n '/^## Your own network/,/^## /{/^```yaml/,/^```/{/^```/d;p}}' "${0%/*}/../../README.md" \
    >"$work/readme.yaml"
has "$work/readme.yaml" "model: network.onnx"
sed -i 's/size: 224, resize: 256, validation: [0-9]*/size: 28, validation: 30/' "$work/readme.yaml"
mv "$work/set" "$work/images"
{
    echo "model: lenet-5"
    sed -n '/^dataset/,/deviation/p' "$work/readme.yaml"
    printf 'training: {epochs: 2}\nprune: {method: none}\nquantize: {enabled: false}\n'
} >"$work/lenet.yaml"
expect 0 compress "$work/lenet.yaml" --out "$work/lenet" --quiet
"$MAKE_FOREIGN" "$work/lenet/model.onnx" "$work/network.onnx" softmax
expect 0 compress "$work/readme.yaml" --out "$work/out-readme" --quiet
has "$work/stdout" "network.onnx on "
[[ -s $work/out-readme/model.admm ]] || fail "README's recipe left no packed file"
no_leftovers "$work"
