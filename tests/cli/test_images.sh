#!/usr/bin/env bash
# Compression on image files: a folder of PNGs and archives of it, held and streamed, give
# the same model; damaged images are left out up to the recipe's limit, then the run stops
# and goes on when they are mended. CIFAR-10 is fetched from a folder.
set -euo pipefail
# shellcheck source=tests/cli/support.sh
source "${0%/*}/support.sh"

mkdir "$work/set"
"$MAKE_IMAGES" "$work/set" 600 200
tar -C "$work" -czf "$work/set.tar.gz" set
tar -C "$work/set" --zstd -cf "$work/set.tar.zst" train test

# make_recipe NAME DATASET: of seconds.
make_recipe() {
    cat >"$work/$1.yaml" <<END
model: lenet-300-100
dataset: {format: folder, validation: 100, mean: [0.2], deviation: [0.25], $2}
seed: 3
training: {epochs: 1, batch: 32, augment: {flip: true, shift: 1, brightness: 0.2, contrast: 0.2, saturation: 0.2}}
prune:
  rounds: [10]
  admm: {iterations: 2, epochs: 1, training: {batch: 32}}
  finish: {epochs: 1, batch: 32}
quantize: {enabled: false}
pack: {positions: bitmap, values: fixed}
END
}

run() {
    expect 0 compress "$work/$1.yaml" --out "$work/out-$1" --threads 2 --quiet
}

make_recipe held "path: set"
expect 0 compress "$work/held.yaml" --out "$work/out-held" --threads 2
has "$work/stderr" "decoding the images: "
# The time left is the run's from its own beginning on, not from what was decoded before.
grep -qE "ADMM pruning.*: [1-8]?[0-9] %,.* elapsed, [0-9:]+ left" "$work/stderr" ||
    fail "no time left half-way"
# A comparison reads the images before it has runs.
expect 0 compare "$work/held.yaml" --out "$work/compared" --seeds 1 --methods one-shot --threads 2
has "$work/stderr" "decoding the images: "
has "$work/stderr" "one-shot 10x, seed 1: keeps"
accuracy=$(json "$work/out-held/result.json" accuracy packed)
awk -v a="$accuracy" 'BEGIN { exit !(a > 0.9) }' || fail "test accuracy $accuracy"

# ---- a file that does not say how its pixels are normalised, as most of other tools ----

images=(--data "$work/set" --format folder)
LC_ALL=C sed 's/admmnn\.input/others.input/' "$work/out-held/small.onnx" >"$work/untold.onnx"
expect 0 eval "$work/out-held/small.onnx" "${images[@]}" --json
loss=$(json "$work/stdout" loss)
lacks "$work/stderr" "normalised"
expect 0 eval "$work/untold.onnx" "${images[@]}" --json
has "$work/stderr" "untold.onnx does not say how pixels are normalised"
[[ $(json "$work/stdout" loss) != "$loss" ]] || fail "the normalisation makes no difference"
expect 0 import "$work/untold.onnx" --out "$work/imported.onnx"
expect 0 eval "$work/imported.onnx" "${images[@]}"
has "$work/stderr" "imported.onnx does not say how pixels are normalised"
expect 0 pack "$work/untold.onnx" --out "$work/untold.admm"
has "$work/stderr" "untold.onnx does not say how pixels are normalised"
expect 0 pack "$work/untold.onnx" --out "$work/untold.admm" --force --quiet
[[ ! -s $work/stderr ]] || fail "a note in spite of --quiet"
expect 0 pack "$work/out-held/small.onnx" --out "$work/told.admm"
lacks "$work/stderr" "normalised"
expect 0 pack "$work/untold.onnx" --out "$work/ranged.admm" --activations 8 "${images[@]}" \
    --mean 0.2 --deviation 0.25
lacks "$work/stderr" "normalised"
expect 0 pack "$work/untold.onnx" --out "$work/ranged.admm" --activations 8 "${images[@]}" --force
(($(grep -c "normalised" "$work/stderr") == 1)) || fail "not one note of how pixels are normalised"
expect 0 eval "$work/untold.admm" "${images[@]}" # says it now
lacks "$work/stderr" "normalised"
tones=(--mean 0.2 --deviation 0.25)
expect 0 eval "$work/untold.onnx" "${images[@]}" "${tones[@]}" --json
[[ $(json "$work/stdout" loss) == "$loss" ]] || fail "another loss with the same normalisation"
lacks "$work/stderr" "normalised"
expect 0 finetune "$work/untold.onnx" --out "$work/tuned.onnx" "${images[@]}" "${tones[@]}" --json
tuned=$(json "$work/stdout" loss)
expect 0 eval "$work/tuned.onnx" "${images[@]}" --json
[[ $(json "$work/stdout" loss) == "$tuned" ]] || fail "what finetune wrote does not say its pixels"
lacks "$work/stderr" "normalised"
expect_error 2 "--deviation is missing" eval "$work/untold.onnx" "${images[@]}" --mean 0.2
expect 0 eval "$work/untold.onnx" "${images[@]}" --mean 0.2,0.2,0.2 --deviation 0.25,0.25,0.25 --json
[[ $(json "$work/stdout" loss) == "$loss" ]] || fail "another loss by channels"
expect_error 2 "as many of both" eval "$work/untold.onnx" "${images[@]}" --mean 0.1,0.2,0.3 \
    --deviation 0.2
expect_error 2 "--deviation: must be above 0" eval "$work/untold.onnx" "${images[@]}" --mean 0.1 \
    --deviation 0
for list in 123.675 '0.1,' 0.1,0.2 a 0x1p-1 0.1,0.2,0.3,0.4 -0.1; do
    expect_error 2 "--mean: '$list'; one number from 0 to 1" eval "$work/untold.onnx" \
        "${images[@]}" --mean="$list" --deviation 0.5
done
for format in folder cifar; do
    expect_error 2 "--format $format: mnist and cifar10 alone are known by name; of idx" \
        eval "$work/untold.onnx" --format $format
done
expect_error 2 "--resize: 20; $work/untold.onnx takes 28 pixels" eval "$work/untold.onnx" \
    "${images[@]}" --resize 20
expect_error 2 "--max-damaged is of --format folder" eval "$work/untold.onnx" \
    --data "$work/set" --max-damaged 1
victim=$(find "$work/set/test" -name '*.png' -print -quit)
cp "$victim" "$work/kept.png"
head -c 100 "$work/kept.png" >"$victim"
expect_error 2 "damaged image 1, and max_damaged is 0" eval "$work/untold.onnx" "${images[@]}"
expect 0 eval "$work/untold.onnx" "${images[@]}" --max-damaged 1 --json
has "$work/stderr" "left out, damaged image 1 of at most 1"
(($(json "$work/stdout" count) == 199)) || fail "the damaged image was counted"
cp "$work/kept.png" "$victim"
expect_error 2 "--learning-rate: -1; it must be above 0" finetune "$work/untold.onnx" \
    --out "$work/uphill.onnx" "${images[@]}" --learning-rate -1

# ---- the same images otherwise ----

make_recipe archive "path: set.tar.zst"
run archive
cmp "$work/out-held/model.admm" "$work/out-archive/model.admm" || fail "archive: another model"

# 500 images of 28 x 28 take 1.3 MB: with 1 MiB they are streamed.
make_recipe streamed "path: set, memory: 1"
run streamed
cmp "$work/out-held/model.admm" "$work/out-streamed/model.admm" || fail "streamed: another model"
cmp "$work/out-held/log.jsonl" "$work/out-streamed/log.jsonl" || fail "streamed: another log"
make_recipe refused "path: set.tar.gz, memory: 1"
expect_error 2 "set.tar.gz: its files take more than the 1 MiB of dataset.memory; unpack" \
    compress "$work/refused.yaml" --out "$work/out-refused" --quiet

# One damaged image, and none allowed: held, it is told before the training; streamed, when it is
# met. Mended, the run goes on to what an undisturbed one gives.
victim=$work/set/train/class3/00123.png
cp "$victim" "$work/kept.png"
head -c 700 "$work/kept.png" >"$victim"
make_recipe strict "path: set"
expect_error 2 "class3/00123.png: damaged PNG: it ends too early; damaged image 1, and" \
    compress "$work/strict.yaml" --out "$work/out-strict" --threads 2 --quiet
[[ ! -e $work/out-strict/checkpoint ]] || fail "a checkpoint before the training"
cp "$work/streamed.yaml" "$work/mended.yaml"
expect_error 2 "'--resume' goes on from $work/out-mended/checkpoint/run.ckpt" \
    compress "$work/mended.yaml" --out "$work/out-mended" --threads 2 --quiet
has "$work/stderr" "class3/00123.png: damaged PNG: it ends too early; damaged image 1, and"
[[ -s $work/out-mended/checkpoint/run.ckpt ]] || fail "no checkpoint"
cp "$work/kept.png" "$victim"
expect 0 compress "$work/mended.yaml" --out "$work/out-mended" --threads 2 --quiet --resume
for file in model.admm model.onnx log.jsonl; do
    cmp "$work/out-streamed/$file" "$work/out-mended/$file" || fail "$file of the mended run differs"
done

# One is allowed: it is left out, with a warning, once.
head -c 700 "$work/kept.png" >"$victim"
make_recipe lenient "path: set, memory: 1, max_damaged: 1"
sed -i 's/mean: .*deviation: [^]]*]/normalise: training/' "$work/lenient.yaml"
expect 0 compress "$work/lenient.yaml" --out "$work/out-lenient" --threads 2
(($(grep -c "left out, damaged image 1 of at most 1" "$work/stderr") == 1)) || fail "not warned once"
cp "$work/kept.png" "$victim"

# ---- CIFAR-10 ----

mkdir "$work/cifar"
head -c 3000 /dev/zero >"$work/cifar/cifar-10-binary.tar.gz"
expect_error 2 "$work/cifar/cifar-10-binary.tar.gz: damaged archive" \
    data fetch cifar10 --from "$work/cifar" --quiet
mkdir "$work/cifar/cifar-10-batches-bin"
truncate -s 30730000 "$work/cifar/cifar-10-batches-bin/data_batch_1.bin"
expect_error 2 "the true file's is cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5" \
    data fetch cifar10 --from "$work/cifar" --quiet
printf 'model: lenet-5\nprune: {rounds: [2]}\ndataset: {format: cifar10}\n' >"$work/cifar.yaml"
expect_error 2 "run 'admmnn data fetch cifar10'" compress "$work/cifar.yaml" --out "$work/out-cifar"
