#!/usr/bin/env bash
# admmnn bench: a row a shape of layer, figures that hang together, a picture; what it refuses.
set -euo pipefail
# shellcheck source=tests/cli/support.sh
source "${0%/*}/support.sh"
model=${0%/*}/../../fuzz/corpus/admm/any.admm

expect_error 2 "--break-even" bench "$model"
expect_error 2 "seconds" bench "$model" --break-even --seconds 0
expect_error 2 "no-such" bench no-such.admm --break-even

bench=(bench "$model" --break-even --seconds 0.001 --threads 1 --quiet)
expect 0 "${bench[@]}" --plot "$work/plot.svg"
has "$work/stdout" "break-even"
head -c 4 "$work/plot.svg" | grep -q '<svg' || fail "no SVG"
has "$work/plot.svg" "weights pruned"
expect_error 2 "--force" "${bench[@]}" --plot "$work/plot.svg"
expect 0 "${bench[@]}" --plot "$work/plot.svg" --force

# Whole names, which other exporters make long, of as many columns.
expect 0 unpack "${model%/*}/bitmap-fixed.admm" --out "$work/small.onnx"
"$MAKE_FOREIGN" "$work/small.onnx" "$work/foreign.onnx" none
expect 0 bench "$work/foreign.onnx" --break-even --seconds 0.001 --threads 1 --quiet
has "$work/stdout" "ier/with/a/long/path/fc1/MatMul "
(($(awk '/^layer |long\/path/ { print length }' "$work/stdout" | sort -u | wc -l) == 1)) ||
    fail "columns moved"

# Each shape once, at eight shares that rise to all weights.
expect 0 "${bench[@]}" --json
cp "$work/stdout" "$work/bench.json"
[[ $(json "$work/bench.json" threads) == 1 ]] || fail "threads"
shapes=$(grep -c '"shape":' "$work/bench.json")
((shapes > 0)) || fail "no shapes"
for ((i = 0; i < shapes; i++)); do
    json "$work/bench.json" shapes "$i" shape
done | sort | uniq -d | grep -q . && fail "a shape twice"
[[ $(json "$work/bench.json" shapes 0 points 7 kept) == 1 ]] || fail "the last share"
