#!/usr/bin/env bash
# Bad input: one line that names the file, exit status 2, nothing left behind.
set -euo pipefail
# shellcheck source=tests/cli/support.sh
source "${0%/*}/support.sh"
make_job
good=$work/good
cp -r "$work/data" "$good"

# refused TEXT: a run of recipe.yaml ends at once, and leaves no result and no model.
refused() {
    rm -rf "$work/out"
    expect_error 2 "$1" compress "$work/recipe.yaml" --out "$work/out" --quiet
    [[ -z $(find "$work/out" -type f 2>/dev/null) ]] || fail "left files behind"
}

# with SED TEXT: the recipe edited.
with() {
    cp "$work/recipe.yaml" "$work/kept.yaml"
    sed -i "$1" "$work/recipe.yaml"
    ! cmp -s "$work/recipe.yaml" "$work/kept.yaml" || fail "'$1' changed nothing"
    refused "$2"
    cp "$work/kept.yaml" "$work/recipe.yaml"
}

expect_error 2 "none.yaml" compress "$work/none.yaml" --out "$work/out" --quiet
expect_error 2 "is a folder" compress "$work" --out "$work/out" --quiet
with 's/^seed: 1/sede: 1/' "sede"
with 's/^seed: 1/seed: one/' "seed"
with 's/layer: fc2/layer: fc9/' "fc9"
with 's/rounds: \[5, 20\]/rounds: [5, 0.5]/' "rounds"
with 's/rounds: \[5, 20\]/rounds: [20, 5]/' "rise"
with 's/^model: .*/model: lenet-6/' "lenet-6"
with 's/epochs: 2, batch: 32}$/epochs: 2, batch: 32/' "recipe.yaml"
with 's/format: idx/format: zip/' "zip"
with 's/validation: 100/validation: 600/' "validation"
with "s|path: $work/data|path: $work/nowhere|" "nowhere"

with "s|path: $work/data|path: $work/recipe.yaml|" "recipe.yaml: is a file; the folder"
expect_error 2 "recipe.yaml: is a file, not a folder" data fetch mnist --from "$work/recipe.yaml" \
    --quiet

# damaged FILE TEXT: the data set with a file replaced by standard input.
damaged() {
    rm -rf "$work/data" && cp -r "$good" "$work/data"
    cat >"$work/data/$1"
    refused "$2"
}

images=train-images-idx3-ubyte labels=train-labels-idx1-ubyte
head -c 100000 "$good/$images" | damaged $images $images
head -c 10 "$good/$images" | damaged $images $images
: | damaged $images $images
{ printf '\0\0\x0d\x03'; tail -c +5 "$good/$images"; } | damaged $images $images
{ printf '\0\0\x08\x03\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff'; } | damaged $images $images
{ printf '\0\0\x08\x01\0\0\x02\x57'; tail -c 599 "$good/$labels"; } |
    damaged $labels labels
{ head -c 8 "$good/$labels"; head -c 600 /dev/zero | tr '\0' '\377'; } | damaged $labels $labels
rm -rf "$work/data" && cp -r "$good" "$work/data" && rm "$work/data/$images"
refused $images
gzip -c "$good/$images" >"$work/whole.gz"
head -c 5000 "$work/whole.gz" >"$work/data/$images.gz"
refused $images
rm -rf "$work/data" && cp -r "$good" "$work/data"

# Model files.
expect 0 compress "$work/recipe.yaml" --out "$work/run" --quiet
model=$work/run/model.admm
size=$(stat -c %s "$model")
head -c $((size / 2)) "$model" >"$work/cut.admm"
head -c 3 "$model" >"$work/short.admm"
: >"$work/empty.admm"
cp "$work/recipe.yaml" "$work/other.admm"
cp "$model" "$work/turned.admm"
byte=$(od -An -tu1 -j $((size / 2)) -N1 "$model")
# shellcheck disable=SC2059
printf "\\x$(printf %02x $((byte ^ 64)))" |
    dd of="$work/turned.admm" bs=1 seek=$((size / 2)) conv=notrunc status=none
for name in none cut short empty other turned; do
    file=$work/$name.admm
    expect_error 2 "$name.admm" inspect "$file" --quiet
    expect_error 2 "$name.admm" eval "$file" --data "$work/data" --quiet
    expect_error 2 "$name.admm" unpack "$file" --out "$work/x.onnx" --quiet
    expect_error 2 "$name.admm" pack "$file" --out "$work/x.admm" --quiet
    expect_error 2 "$name.admm" run "$file" --input "$work/x.npy" --output "$work/y.npy" --quiet
done
[[ ! -e $work/x.onnx && ! -e $work/x.admm && ! -e $work/y.npy ]] || fail "bad models made files"
printf 'not an array' >"$work/x.npy"
expect_error 2 "x.npy" run "$model" --input "$work/x.npy" --output "$work/y.npy" --quiet
expect_error 2 "nowhere.npy" run "$model" --input "$work/nowhere.npy" --output "$work/y.npy" --quiet
[[ ! -e $work/y.npy ]] || fail "a bad array made an output"
expect_error 2 "format idx: $work: holds neither t10k-images" eval "$model" --data "$work" --quiet
expect_error 2 "nowhere" eval "$model" --data "$work/nowhere" --quiet
expect_error 2 "recipe.yaml: is a file; the folder" eval "$model" --data "$work/recipe.yaml" --quiet
expect_error 2 "data fetch mnist" eval "$model" --quiet
expect_error 2 "data fetch mnist" data path mnist --quiet
expect_error 2 "zebra" data path zebra --quiet
expect_error 2 "zebra" data fetch zebra --quiet
expect_error 2 "'dataset: {format: idx, path: DIR}' in a recipe, --data DIR for eval" data fetch \
    ./data --quiet
# Files of MNIST's names that are not MNIST.
expect_error 2 "" data fetch mnist --from "$work/data" --quiet
[[ -z $(ls -A "$XDG_CACHE_HOME") ]] || fail "a failed fetch left something in the cache"
mkdir -p "$XDG_CACHE_HOME/admmnn/mnist"
expect_error 2 "" data fetch mnist --from "$work/data" --quiet
[[ -d $XDG_CACHE_HOME/admmnn/mnist ]] || fail "a failed fetch removed a folder that was there"
expect_error 2 "result.json" show "$work/nowhere" --quiet
mkdir "$work/odd" && echo '{"seed": 1' >"$work/odd/result.json"
expect_error 2 "result.json" show "$work/odd" --quiet
expect_error 2 "result.json" show "$work/odd" --json --quiet

mkdir -p "$work/begun/checkpoint" "$work/compared/comparison-runs"
: >"$work/begun/checkpoint/run.ckpt"
expect_error 2 "begun: its run is not finished; 'admmnn compress RECIPE --out DIR --resume'" show \
    "$work/begun" --quiet
expect_error 2 "compared: its comparison is not finished; 'admmnn compare RECIPE" show \
    "$work/compared" --json --quiet

# A long path does not push the reason out of the message.
long=$work
for _ in {1..12}; do
    long+=/$(printf '%080d' 0)
done
mkdir -p "$long"
expect_error 2 "0: is a folder, a file was expected" compress "$long" --out "$work/x" --quiet
expect_error 2 "0/result.json: cannot open: No such file" show "$long" --quiet
echo '{' >"$long/comparison.json"
expect_error 2 "comparison.json: not a comparison of admmnn" show "$long" --quiet

# What is no regular file is not read: a fifo would be waited for, a device has no end.
mkfifo "$work/fifo"
for file in "$work/fifo" /dev/zero; do
    expect_error 2 "$file: is no regular file" compress "$file" --out "$work/x" --quiet
    expect_error 2 "$file: is no regular file" inspect "$file" --quiet
    expect_error 2 "$file: is no regular file" run "$model" --input "$file" --output "$work/y" --quiet
done
mkdir "$work/pipes" && mkfifo "$work/pipes/result.json" "$work/pipes/comparison.json"
expect_error 2 "result.json: is no regular file" show "$work/pipes" --quiet

# Outputs that would destroy something else. A folder is told before anything is read.
expect_error 1 "data: cannot write: is a folder" unpack "$work/none" --out "$work/data" --quiet
expect_error 1 "data: cannot write: is a folder" pack "$work/none" --out "$work/data" --quiet
expect_error 1 "data: cannot write: is a folder" run "$model" --input "$work/none" \
    --output "$work/data" --quiet
expect_error 1 "no regular file" unpack "$model" --out "$work/fifo" --force --quiet
[[ -p $work/fifo ]] || fail "a fifo was replaced"
ln -s nowhere/at/all "$work/dangling"
ln -sf fifo "$work/to-fifo"
expect_error 1 "no regular file" unpack "$model" --out "$work/to-fifo" --force --quiet
expect_error 1 "leads nowhere" unpack "$model" --out "$work/dangling" --force --quiet
expect 0 unpack "$model" --out "$work/x.onnx" --quiet
cp "$work/x.onnx" "$work/kept.onnx"
ln -s x.onnx "$work/link.onnx"
expect 0 unpack "$model" --out "$work/link.onnx" --force --quiet
[[ -L $work/link.onnx ]] || fail "a link was replaced by what was written through it"
cmp -s "$work/x.onnx" "$work/kept.onnx" || fail "writing through a link changed the bytes"
expect_error 2 "replace the input" pack "$work/x.onnx" --out "$work/link.onnx" --force --quiet
cmp -s "$work/x.onnx" "$work/kept.onnx" || fail "an input was overwritten"
expect_error 2 "seed" compress "$work/recipe.yaml" --out "$work/seed" --seed 9007199254740992 --quiet
[[ ! -e $work/seed ]] || fail "a refused seed left a folder"

# NumPy's arrays: what does not fit together is told by its true name.
# arrays PART TYPE SIDE: three images, of zeros, of a type of so many bytes an element.
arrays() {
    local folder=$work/npy/$1 bytes=${2: -1}
    mkdir -p "$folder"
    { npy_header "$2" "3, $3, $3" && head -c $((3 * $3 * $3 * bytes)) /dev/zero; } >"$folder/x.npy"
    { npy_header '|u1' "3," && printf '\0\1\0'; } >"$folder/y.npy"
}
cat >"$work/npy.yaml" <<END
model: lenet-300-100
dataset: {format: npy, path: npy, validation: 1}
prune: {rounds: [5]}
END
misfit() {
    expect_error 2 "npy: $1" compress "$work/npy.yaml" --out "$work/npy-out" --quiet
}
arrays train '|u1' 28
arrays test '<f4' 28
misfit "the training part holds bytes and the test part floats"
arrays train '<f4' 28
arrays test '|u1' 28
misfit "the training part holds floats and the test part bytes"
arrays test '<f4' 27
misfit "the test part has images of another size"
arrays test '<f4' 28
{ npy_header '|u1' "3," && printf '\0\1\2'; } >"$work/npy/test/y.npy"
misfit "the test part has labels that no training image has"

# A test part that does not fit is told before the training, and leaves nothing.
rm "$work/data"/t10k-images-idx3-ubyte*
expect_error 2 "t10k-images" compress "$work/recipe.yaml" --out "$work/no-test" --quiet
[[ ! -e $work/no-test ]] || fail "a missing test part left a folder"
