#!/usr/bin/env bash
# admmq solve and bench, as a user runs them.
set -euo pipefail
# shellcheck source=tests/cli/support.sh
source "${0%/*}/support.sh"

# npy SHAPE VALUE...: a NumPy array of doubles whose hexadecimal bytes are given by hand:
# 0, 1, 2, 8 and -1 are all that is needed.
npy() {
    local value
    npy_header '<f8' "$1"
    shift
    for value in "$@"; do
        case $value in
        0) printf '\0\0\0\0\0\0\0\0' ;;
        1) printf '\0\0\0\0\0\0\xf0\x3f' ;;
        2) printf '\0\0\0\0\0\0\0\x40' ;;
        8) printf '\0\0\0\0\0\0\x20\x40' ;;
        -1) printf '\0\0\0\0\0\0\xf0\xbf' ;;
        nan) printf '\0\0\0\0\0\0\xf8\x7f' ;;
        esac
    done
}

# f(x) = x0^2 + x1^2 - x0 x1 + 8 x0 - x1: minimum without levels at (-5, -2).
npy "2, 2" 2 -1 -1 2 >"$work/q.npy"
npy "2," 8 -1 >"$work/b.npy"
solve=(admmq solve --quiet --q "$work/q.npy" --b "$work/b.npy")

# On the whole numbers every method but rough ones finds that point.
for method in "admm-q --starts 5" "admm-s --starts 5" "admm-r --starts 5" round \
    "gd-round --rho-relative 1" exact; do
    # shellcheck disable=SC2086 # the method and its options
    expect 0 "${solve[@]}" --set grid:1 --json --method $method
    [[ $(json "$work/stdout" objective) == -19 ]] || fail "$method: another objective"
    [[ $(json "$work/stdout" x 0) == -5 && $(json "$work/stdout" x 1) == -2 ]] ||
        fail "$method: another x"
done
has "$work/stdout" '"status":	"optimal"'
expect 0 "${solve[@]}" --set grid:1 --starts 5
has "$work/stdout" "objective        -19"
has "$work/stdout" "over 5 starts"

# Among -1 and 1: f(-1, -1) = -6, f(-1, 1) = -6; of four, the least.
expect 0 "${solve[@]}" --set binary --method exact --json
[[ $(json "$work/stdout" objective) == -6 ]] || fail "binary: another objective"
expect 0 "${solve[@]}" --set levels:-8,-1,2 --method exact --json
[[ $(json "$work/stdout" objective) == -6 ]] || fail "levels: another objective"

# Levels of each coordinate's own: the second row is filled with NaN.
npy "2, 2" -1 8 0 nan >"$work/levels.npy"
expect 0 "${solve[@]}" --set "$work/levels.npy" --method exact --json
[[ $(json "$work/stdout" x 0) == -1 && $(json "$work/stdout" x 1) == 0 ]] || fail "rows: another x"
npy "2, 1" nan 0 >"$work/levels.npy"
expect_error 2 "levels.npy: row 0, from 0, has no level" "${solve[@]}" --set "$work/levels.npy"
npy "1, 2" 8 -1 >"$work/levels.npy"
expect_error 2 "do not rise" "${solve[@]}" --set "$work/levels.npy"
npy "3, 1" 0 1 2 >"$work/levels.npy"
expect_error 2 "levels.npy: levels are to be of one row" "${solve[@]}" --set "$work/levels.npy"

# The same problem as a sparse matrix; the same seed, the same bytes.
printf '%%%%MatrixMarket matrix coordinate real symmetric\n2 2 3\n1 1 2\n2 1 -1\n2 2 2\n' \
    >"$work/q.mtx"
expect 0 admmq solve --q "$work/q.mtx" --b "$work/b.npy" --set grid:1 --json --quiet
[[ $(json "$work/stdout" objective) == -19 ]] || fail "sparse: another objective"
expect 0 "${solve[@]}" --set grid:2 --method admm-r --starts 9 --seed 3 --json --threads 1
cp "$work/stdout" "$work/first"
expect 0 "${solve[@]}" --set grid:2 --method admm-r --starts 9 --seed 3 --json --threads 3
cmp "$work/first" "$work/stdout" || fail "another number of threads, another answer"

# says NAME VALUE...: what the last answer has under these names, which are there once.
says() {
    while (($# > 0)); do
        grep -qE "\"$1\":[[:space:]]$2,?\$" "$work/stdout" || fail "$1 is not $2"
        shift 2
    done
}

# near NAME VALUE: a number, to what rounding may change.
near() {
    sed -n "s/^.*\"$1\":[[:space:]]*\([^,]*\),\$/\1/p" "$work/stdout" |
        awk -v w="$2" '{ d = $1 - w; good = d * d < 1e-12 * (1 + w * w) } END { exit !good }' ||
        fail "$1 is not $2"
}

# Starts that end differently: a short step down f leaves each where it is. f there is 0, 120,
# -6, 20 and 8; the best one's x is the answer's.
short=(--set grid:1 --method pgd --rho 100 --iterations 1 --json)
npy "5, 2" 0 0 8 8 -1 -1 2 0 1 1 >"$work/starts.npy"
expect 0 "${solve[@]}" "${short[@]}" --start "$work/starts.npy"
says objective -6 best -6 lower_quartile 0 median 8 upper_quartile 20 worst 120
says count 5 best_start 2 x '\[-1, -1\]'
npy "5, 2" -1 -1 1 1 8 8 2 0 0 0 >"$work/starts.npy"
expect 0 "${solve[@]}" "${short[@]}" --start "$work/starts.npy" --starts 5 --threads 2
says objective -6 best_start 0 worst 120
npy "2," 2 0 >"$work/starts.npy"
expect 0 "${solve[@]}" "${short[@]}" --start "$work/starts.npy"
says objective 20 count 1 worst 20
expect_error 2 "starts are to be rows of 2 numbers, 3 of them" "${solve[@]}" "${short[@]}" \
    --start "$work/starts.npy" --starts 3
expect 0 "${solve[@]}" "${short[@]}" --starts 5 --start-scale 0
says best 0 worst 0
expect 0 "${solve[@]}" "${short[@]}" --starts 5
[[ $(grep -E '"(best|worst)"' "$work/stdout" | tr -dc '0-9.\n-' | sort -u | wc -l) == 2 ]] ||
    fail "starts that are drawn are one start"

# Options change what they say, here from a start of 0. Two steps of length 1 by pgd lead to
# (-8, 1), where f is 8, and to (1, -8), where it is 89.
from0=(--set grid:1 --start-scale 0 --json)
expect 0 "${solve[@]}" "${from0[@]}" --method pgd --rho 1 --iterations 2
says objective 8 x '\[-8, 1\]'
expect 0 "${solve[@]}" "${from0[@]}" --method pgd --rho 1 --iterations 2 --last 1
says objective 89 x '\[1, -8\]'
expect 0 "${solve[@]}" "${from0[@]}" --method pgd
says rho 3 status '"iterates repeat"'
# The x step from y = 0 and l = 0: argmin of f + x'x / 2, (-23, -5) / 8; one gradient step of
# 1 / (3 + 1), (-8, 1) / 4, after which the gradient is 0.31 of what it was; the tangent's at
# rho 9, (-8, 1) / 9.
expect 0 "${solve[@]}" "${from0[@]}" --iterations 1 --rho 1
near primal_residual 2.94215057374
expect 0 "${solve[@]}" "${from0[@]}" --iterations 1 --rho 1 --x-step gradient --gradient-steps 1000
near primal_residual 2.94215057374
expect 0 "${solve[@]}" "${from0[@]}" --iterations 1 --rho 1 --x-step gradient --gradient-steps 1
near primal_residual 2.01556443707
expect 0 "${solve[@]}" "${from0[@]}" --iterations 1 --rho 1 --x-step gradient --tolerance 0.5
near primal_residual 2.01556443707
expect 0 "${solve[@]}" "${from0[@]}" --iterations 1 --x-step linear
says rho 9
near primal_residual 0.89580641647
# ADMM-S goes half of the way from (1, 0) to 0 where beta is a half, and all of it where it is 1;
# x - y is then (-3.1875, -0.5625) and (-2.875, -0.625).
npy "2," 1 0 >"$work/starts.npy"
soft=(--set grid:8 --method admm-s --rho 1 --iterations 1 --json --start "$work/starts.npy")
expect 0 "${solve[@]}" "${soft[@]}" --beta 0.5
near primal_residual 3.23675397428
expect 0 "${solve[@]}" "${soft[@]}"
near primal_residual 2.94215057374
# ADMM-R stays where it began while no coordinate is drawn.
npy "2," 8 8 >"$work/starts.npy"
random=(--set grid:8 --method admm-r --rho 1 --iterations 50 --json --start "$work/starts.npy")
expect 0 "${solve[@]}" "${random[@]}" --probability 1e-9
says objective 120
expect 0 "${solve[@]}" "${random[@]}"
! grep -q '"objective":	120,' "$work/stdout" || fail "no coordinate is drawn by default"

# What is wrong is named, in one line.
expect_error 2 "rho is -1" "${solve[@]}" --set grid:1 --rho -1
expect_error 2 "exclude" "${solve[@]}" --set grid:1 --rho 1 --rho-relative 1
expect_error 2 "not a number" "${solve[@]}" --set grid:1 --beta much
expect_error 2 "no set 'grind:1'" "${solve[@]}" --set grind:1
expect_error 2 "do not rise" "${solve[@]}" --set levels:1,1
expect_error 2 "no method 'admm'" "${solve[@]}" --set grid:1 --method admm
expect_error 2 "d x d" admmq solve --quiet --q "$work/b.npy" --set grid:1
expect_error 2 "2 numbers" admmq solve --quiet --q "$work/q.npy" --b "$work/q.npy" --set grid:1
npy "2, 2" 2 -1 0 2 >"$work/skew.npy"
expect_error 2 "not symmetric" admmq solve --quiet --q "$work/skew.npy" --set grid:1
npy "2, 2" 2 nan nan 2 >"$work/nan.npy"
expect_error 2 "nan.npy: number 1, from 0, is not finite" admmq solve --quiet --q "$work/nan.npy" \
    --set grid:1
npy "2, 2" -1 0 0 2 >"$work/indefinite.npy"
expect_error 2 "not positive definite" admmq solve --quiet --q "$work/indefinite.npy" \
    --set grid:1 --rho 0.5
expect_error 2 "not positive definite" admmq solve --quiet --q "$work/indefinite.npy" \
    --set grid:1 --method exact

expect 0 "${solve[@]}" --set grid:1 --method exact --nodes 1
has "$work/stdout" "node limit after 1 nodes"
has "$work/stdout" "objective        0" # of the origin
expect_error 2 "rho is 0" "${solve[@]}" --set grid:1 --rho 0
for number in 0x1p3 " 1" nan 1e; do
    expect_error 2 "--rho: '$number' is not a number" "${solve[@]}" --set grid:1 --rho "$number"
done
# Numbers for machines are those that were found, to the bit.
expect 0 "${solve[@]}" --set levels:-853174.3017535529,0.1 --method exact --json
has "$work/stdout" "0.1"
expect 0 "${solve[@]}" --set levels:-853174.3017535529 --method exact --json
has "$work/stdout" "-853174.3017535529"
printf '%%%%MatrixMarket matrix coordinate real symmetric\n1 1 1\n1 1 2\n\0junk\n' >"$work/nul.mtx"
expect_error 2 "nul.mtx: holds a byte of 0" admmq solve --quiet --q "$work/nul.mtx" --set grid:1
# What a method, or its x step, would leave unheard.
while read -r method option; do
    name=${option%% *}
    # shellcheck disable=SC2086 # an option and its value
    expect_error 2 "$name says nothing to method $method" "${solve[@]}" --set grid:1 \
        --method "$method" $option
done <<END
exact --x-step gradient
pgd --x-step exact
round --rho 1
exact --rho-relative 1
pgd --beta 5
admm-q --beta 5
admm-s --probability 0.5
admm-q --gradient-steps 5
pgd --tolerance 0.1
exact --tolerance 0.1
round --iterations 5
exact --last 5
admm-r --nodes 5
round --starts 5
exact --start $work/b.npy
exact --start-scale 1
pgd --start-scale 1 --start $work/b.npy
END
expect_error 2 "--tolerance says nothing to method admm-q as it is asked for" "${solve[@]}" \
    --set grid:1 --x-step linear --tolerance 0.1
expect_error 2 "--start says nothing to method exact, which starts nowhere" "${solve[@]}" \
    --set grid:1 --method exact --start "$work/b.npy"

# Where f falls for ever the run says so, and gives what it had.
status=0
admmnn admmq solve --quiet --q "$work/indefinite.npy" --set grid:1 --rho 1.5 --json \
    --iterations 1000000 >"$work/stdout" 2>"$work/stderr" || status=$?
((status == 1)) || fail "divergence: exit status $status"
has "$work/stderr" "diverged"
has "$work/stderr" "warning: Q has an eigenvalue of -1 and the set no ends: f has no minimum on it"
has "$work/stdout" '"status":	"diverged"'

# A run that diverged is not the best one where others did not.
npy "2, 2" 8 8 0 0 >"$work/starts.npy"
expect 0 admmq solve --quiet --q "$work/indefinite.npy" --set grid:1 --rho 1.5 --json \
    --start "$work/starts.npy"
[[ $(json "$work/stdout" starts diverged) == 1 && $(json "$work/stdout" status) == iterates* &&
    $(json "$work/stdout" objective) == 0 && $(json "$work/stdout" starts best_start) == 1 ]] ||
    fail "the best start diverged"

# The experiment, small: the files are there, whole, not replaced without --force.
bench=(admmq bench quadratics --quiet --out "$work/out" --dimension 4 --instances 3 --starts 5
    --iterations 200 --pgd-iterations 200)
expect 0 "${bench[@]}"
has "$work/stdout" "signed-rank tests"
for file in quadratics.json quadratics.svg quadratics-rho.svg; do
    [[ -s $work/out/$file ]] || fail "no $file"
done
[[ $(json "$work/out/quadratics.json" experiment) == quadratics ]] || fail "the JSON is not whole"
[[ $(grep -o '"optimum": [^,]*' "$work/out/quadratics.json" | sort -u | wc -l) == 6 ]] ||
    fail "what is held out was there before"
expect_error 2 "is there already" "${bench[@]}"
expect 0 "${bench[@]}" --force --json
expect_error 2 "no experiment 'cubics'; there are quadratics and recipes" admmq bench cubics --quiet --out "$work/out"
expect_error 2 "the spacing is 0" "${bench[@]}" --force --spacing 0
expect_error 2 "--seeds is of admmq bench recipes" "${bench[@]}" --force --seeds 2
expect_error 2 "--starts is of admmq bench quadratics" admmq bench recipes --quiet --out "$work/side" \
    --recipes "$work" --starts 2
expect_error 2 "--force is of admmq bench quadratics" admmq bench recipes --quiet --out "$work/side" \
    --recipes "$work" --force
expect 0 "${bench[@]}" --force --nodes 1
has "$work/stdout" "0?" # the origin, not proven
cp "$work/stdout" "$work/table"
expect 0 show "$work/out"
cmp "$work/stdout" "$work/table" || fail "show has another table"

# Recipes side by side: a mean over seeds, the same when it goes on with finished runs.
make_job
mkdir "$work/recipes"
for variant in admm-q admm-r; do
    # Dense networks are left unfinished, so that figures differ.
    sed -e "s/^quantize:/&\n  variant: $variant/" -e 's/^training: .*/training: {epochs: 1, batch: 200}/' \
        "$work/recipe.yaml" >"$work/recipes/$variant.yaml"
done
side=(admmq bench recipes --recipes "$work/recipes" --out "$work/side" --seeds 2 --threads 1)
expect_error 2 "--recipes FOLDER is missing" admmq bench recipes --quiet --out "$work/side"
expect_error 2 "no folder of recipes" admmq bench recipes --quiet --out "$work/side" \
    --recipes "$work/none"
expect_error 2 "holds no recipe" admmq bench recipes --quiet --out "$work/side" \
    --recipes "$work/data"
expect 0 "${side[@]}" --quiet
has "$work/stdout" "admm-r"
[[ -s $work/side/recipes.svg && -s $work/side/recipe-runs/admm-q-seed-2/result.json ]] ||
    fail "recipes.svg or a run is not there"
cp "$work/side/recipes.json" "$work/first"
expect 0 "${side[@]}" --json
cmp "$work/stdout" "$work/first" || fail "made again, recipes.json is another"
echo '{}' >"$work/side/recipes.json"
expect_error 2 "admmnn did not write it" "${side[@]}" --quiet
expect_error 2 "recipes.json" show "$work/side"
rm "$work/side/recipes.json"
expect 0 show "$work/side/recipe-runs/admm-q-seed-1"
expect 0 "${side[@]}" --quiet --seeds 1
[[ $(json "$work/side/recipes.json" recipes 0 packed deviation) == null ]] ||
    fail "one seed has a deviation"
expect 0 "${side[@]}" --quiet
cmp "$work/side/recipes.json" "$work/first" || fail "of more seeds again, recipes.json is another"
expect 0 show "$work/side"
has "$work/stdout" "over 2 seeds"
cp "$work/recipes/admm-r.yaml" "$work/recipes/broken.yaml"
echo "junk: 1" >>"$work/recipes/broken.yaml"
before=$(find "$work/side" | sort | cksum)
expect_error 2 "junk: unknown key" "${side[@]}" --quiet
[[ $(find "$work/side" | sort | cksum) == "$before" ]] || fail "something ran before the mistake"
rm "$work/recipes/broken.yaml"

# summary_is NAME KEY...: the mean over both seeds' own results and the deviation of a sample.
summary_is() {
    local name=$1 run=$work/side/recipe-runs/admm-q-seed one two mean deviation
    shift
    one=$(json "$run-1/result.json" "$@")
    two=$(json "$run-2/result.json" "$@")
    mean=$(json "$work/first" recipes 0 "$name" mean)
    deviation=$(json "$work/first" recipes 0 "$name" deviation)
    awk -v a="$one" -v b="$two" -v m="$mean" -v d="$deviation" 'BEGIN {
        m -= (a + b) / 2
        d = d * d - (a - b) ^ 2 / 2
        exit m * m > 1e-20 * a * a || d * d > 1e-20 * a ^ 4 }' ||
        fail "$name: $mean +- $deviation are not of $one and $two"
}
summary_is dense accuracy dense
summary_is validation validation_accuracy compressed
summary_is packed accuracy packed
summary_is file bytes file
[[ $(json "$work/first" recipes 0 dense) != $(json "$work/first" recipes 0 validation) ]] ||
    fail "figures that are all one tell nothing of their names"
