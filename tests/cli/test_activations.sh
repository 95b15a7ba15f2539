#!/usr/bin/env bash
# Values between layers in 8 bits: packed with ranges of training images, measured by eval, kept by
# unpack and pack; and what is refused.
set -euo pipefail
# shellcheck source=tests/cli/support.sh
source "${0%/*}/support.sh"
mkdir "$work/data"
"$MAKE_DATASET" "$work/data" 600 200
cat >"$work/recipe.yaml" <<END
model: lenet-300-100
dataset: {format: idx, path: data, validation: 100, normalise: training}
training: {epochs: 2, batch: 50}
prune: {method: none}
quantize: {enabled: false}
END
expect 0 compress "$work/recipe.yaml" --out "$work/out" --quiet
model=$work/out/model.admm

# ---- packing ----

expect 0 pack "$model" --out "$work/eight.admm" --activations 8 --data "$work/data"
expect 0 pack "$work/eight.admm" --out "$work/again.admm"
cmp "$work/eight.admm" "$work/again.admm" || fail "packed again it is another file"
expect 0 unpack "$work/eight.admm" --out "$work/eight.onnx"
expect 0 pack "$work/eight.onnx" --out "$work/back.admm"
cmp "$work/eight.admm" "$work/back.admm" || fail "unpacked and packed it is another file"
expect 0 pack "$model" --out "$work/plain.admm"
cmp "$model" "$work/plain.admm" || fail "a file without ranges is another one"

# ---- measuring ----

expect 0 eval "$work/eight.admm" --data "$work/data" --activations 8
grep -q "runtime, 8 bits: accuracy" "$work/stdout" || fail "no accuracy in 8 bits"
expect 0 eval "$work/eight.admm" --data "$work/data" --activations 8 --json
count=$(json "$work/stdout" count)
correct=$(json "$work/stdout" correct)
[[ $(json "$work/stdout" int8 correct_float) == "$correct" ]] ||
    fail "the runtime's floats are right where the engine is not"
(($(json "$work/stdout" int8 same) >= count - 2)) || fail "8 bits answer otherwise"
(($(json "$work/stdout" int8 codes) == 2)) || fail "not two values in 8 bits"
(($(json "$work/stdout" int8 workspace) > 0)) || fail "no workspace"

# ---- what is refused ----

expect_error 2 "--data: no images are read without --activations 8; give that too, or neither" \
    pack "$model" --out "$work/x.admm" --data "$work/data"
expect_error 2 "--activations" pack "$model" --out "$work/x.admm" --activations 7
[[ ! -e $work/x.admm ]] || fail "what was refused wrote a file"
