#!/usr/bin/env bash
# A small comparison: its table, its JSON, and going on with it.
set -euo pipefail
# shellcheck source=tests/cli/support.sh
source "${0%/*}/support.sh"
make_job
# Accuracies that no short decimal holds.
"$MAKE_DATASET" "$work/data" 600 190
sed -i 's/validation: 100/validation: 70/' "$work/recipe.yaml"

# The recipe's name is not UTF-8: the JSON it stands in must be.
recipe=$work/$'na\xefve.yaml'
mv "$work/recipe.yaml" "$recipe"
compare=(compare "$recipe" --out "$work/out" --seeds 2 --methods "admm,random"
    --ratios 20)
expect 0 "${compare[@]}" --quiet
[[ ! -s $work/stderr ]] || fail "--quiet wrote to standard error"
has "$work/stdout" "comparison.svg"
grep -qE ' 20x +[0-9]+ +[0-9]+\.[0-9]+ \+- [0-9]' "$work/stdout" || fail "no line of 20x"
cp "$work/stdout" "$work/table"
[[ -s $work/out/comparison.svg ]] || fail "no picture"
expect 0 show "$work/out"
cmp "$work/stdout" "$work/table" || fail "show prints another table"
expect_error 2 "" "${compare[@]}" --quiet
before=$(cksum <"$work/out/comparison.json")
expect 0 "${compare[@]}" --resume --json
[[ $(cksum <"$work/stdout") == "$before" ]] || fail "--resume --json is not comparison.json"
rm "$work/out/comparison.json"
left=$work/out/comparison-runs/random-20x-seed-1/run.ckpt # by a kill after the run's last file
: >"$left"
expect 0 "${compare[@]}" --resume --quiet
[[ ! -e $left ]] || fail "a finished run keeps its checkpoint"
[[ $(cksum <"$work/out/comparison.json") == "$before" ]] || fail "made again, it is another"
expect 0 "${compare[@]}" --resume --json
json "$work/stdout" methods 0 points 0 test_accuracy mean >/dev/null
# What is there already is not left out of a comparison that is gone on with.
before=$(cksum "$work/out/comparison".*)
expect_error 2 "give random in --methods too" compare "$recipe" --out "$work/out" --seeds 2 \
    --methods admm --ratios 20 --resume --quiet
expect_error 2 "give 20 in --ratios too" compare "$recipe" --out "$work/out" --seeds 2 \
    --ratios 5 --resume --quiet
expect_error 2 "give --first-seed 1 --seeds 2" compare "$recipe" --out "$work/out" --seed 2 \
    --seeds 1 --methods admm,random --ratios 20 --resume --quiet
[[ $(cksum "$work/out/comparison".*) == "$before" ]] || fail "a narrower comparison changed one"
# One line a finished run and those of progress, whose stages are the methods' own.
expect 0 compare "$recipe" --out "$work/lines" --seeds 1 --methods admm,one-shot,random,dense \
    --ratios 20
grep -v ' elapsed' "$work/stderr" >"$work/notes"
(($(wc -l <"$work/notes") == 5)) || fail "not one line a run: $(cat "$work/notes")"
grep -vE '^admmnn: .*, seed 1: keeps [0-9]+, validation [0-9.]+ %, test [0-9.]+ %$' "$work/notes" &&
    fail "a line that is no run's"
has "$work/stderr" "admm 20x, seed 1: ADMM pruning, round"
has "$work/stderr" "dense, seed 1: further training:"
! grep -E '(one-shot|random).* ADMM' "$work/stderr" || fail "a control with ADMM"
[[ -s $work/lines/comparison-runs/random-20x-seed-1/log.jsonl ]] || fail "no log of a run"
! grep -q ADMM "$work/lines/comparison-runs/random-20x-seed-1/log.jsonl" || fail "the log names ADMM"
change_images
expect_error 2 "made with other training images" "${compare[@]}" --resume --quiet
restore_images
iconv -f UTF-8 -t UTF-8 "$work/out/comparison.json" >/dev/null || fail "comparison.json is not UTF-8"
expect_error 2 "--methods: no method 'zebra'" compare "$recipe" --out "$work/x" --methods zebra --quiet
expect_error 2 "--ratios: 0.5" compare "$recipe" --out "$work/x" --ratios 0.5 --quiet
expect_error 2 "--methods: 'admm' is given twice" compare "$recipe" --out "$work/x" \
    --methods admm,dense,admm --quiet
expect_error 2 "--first-seed: 5 seeds from 9007199254740991" compare "$recipe" --out "$work/x" \
    --first-seed 9007199254740991 --quiet
expect_error 2 "900000 keeps less than a weight a layer" compare "$recipe" --out "$work/x" \
    --ratios 900000 --quiet
expect_error 2 "--ratios: '0x4' is no ratio" compare "$recipe" --out "$work/x" --ratios 0x4 --quiet
[[ ! -e $work/x ]] || fail "a refused comparison left a folder"

# An altered one is not shown: a terminal would obey what stands in it.
cp -r "$work/out" "$work/altered"
sed -i 's/"label": "ADMM/"label": "\\u001b[31mADMM/' "$work/altered/comparison.json"
for option in "" --json; do
    # shellcheck disable=SC2086
    expect_error 2 "comparison.json: not a comparison of admmnn" show "$work/altered" $option --quiet
done
