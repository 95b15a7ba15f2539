#!/usr/bin/env bash
# admmq solve and bench, as a user runs them.
set -euo pipefail
# shellcheck source=tests/cli/support.sh
source "${0%/*}/support.sh"

# npy SHAPE VALUE...: a NumPy array of doubles whose hexadecimal bytes are given by hand:
# 0, 1, 2, 8 and -1 are all that is needed.
npy() {
    local shape=$1 header value
    shift
    header="{'descr': '<f8', 'fortran_order': False, 'shape': ($shape), }"
    printf '\x93NUMPY\x01\x00'
    # shellcheck disable=SC2059 # the length is written as bytes
    printf "\\x$(printf %02x $((${#header} + 1)))\\x00"
    printf '%s\n' "$header"
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

expect_error 2 "more are needed" "${solve[@]}" --set grid:1 --method exact --nodes 1
expect_error 2 "rho is 0" "${solve[@]}" --set grid:1 --rho 0
expect_error 2 "--start says nothing to method exact, which starts nowhere" "${solve[@]}" \
    --set grid:1 --method exact --start "$work/b.npy"
expect_error 2 "--beta says nothing to method pgd" "${solve[@]}" --set grid:1 --method pgd --beta 5
expect_error 2 "--gradient-steps says nothing to method admm-q" "${solve[@]}" --set grid:1 \
    --gradient-steps 5

# Where f falls for ever the run says so, and gives what it had.
status=0
admmnn admmq solve --quiet --q "$work/indefinite.npy" --set grid:1 --rho 1.5 --json \
    --iterations 1000000 >"$work/stdout" 2>"$work/stderr" || status=$?
((status == 1)) || fail "divergence: exit status $status"
has "$work/stderr" "diverged"
has "$work/stdout" '"status":	"diverged"'

# The experiment, small: the files are there, whole, not replaced without --force.
bench=(admmq bench quadratics --quiet --out "$work/out" --dimension 4 --instances 3 --starts 5
    --iterations 200 --pgd-iterations 200)
expect 0 "${bench[@]}"
has "$work/stdout" "signed-rank tests"
for file in quadratics.json quadratics.svg quadratics-rho.svg; do
    [[ -s $work/out/$file ]] || fail "no $file"
done
[[ $(json "$work/out/quadratics.json" experiment) == quadratics ]] || fail "the JSON is not whole"
expect_error 2 "is there already" "${bench[@]}"
expect 0 "${bench[@]}" --force --json
expect_error 2 "no experiment 'cubics'; there are quadratics and recipes" admmq bench cubics --quiet --out "$work/out"
expect_error 2 "the spacing is 0" "${bench[@]}" --force --spacing 0
expect_error 2 "--seeds is of admmq bench recipes" "${bench[@]}" --force --seeds 2
expect_error 2 "--starts is of admmq bench quadratics" admmq bench recipes --quiet --out "$work/side" \
    --recipes "$work" --starts 2
expect_error 2 "more are needed" "${bench[@]}" --force --nodes 1

# Recipes side by side: a mean over seeds, the same when it goes on with finished runs.
make_job
mkdir "$work/recipes"
for variant in admm-q admm-r; do
    sed "s/^quantize:/&\n  variant: $variant/" "$work/recipe.yaml" >"$work/recipes/$variant.yaml"
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
expect_error 2 "is there already" "${side[@]}" --quiet --seed 7
cp "$work/recipes/admm-r.yaml" "$work/recipes/broken.yaml"
echo "junk: 1" >>"$work/recipes/broken.yaml"
before=$(find "$work/side" | sort | cksum)
expect_error 2 "junk: unknown key" "${side[@]}" --quiet --force
[[ $(find "$work/side" | sort | cksum) == "$before" ]] || fail "something ran before the mistake"
rm "$work/recipes/broken.yaml"
mean=$(json "$work/first" recipes 0 packed mean)
one=$(json "$work/side/recipe-runs/admm-q-seed-1/result.json" accuracy packed)
two=$(json "$work/side/recipe-runs/admm-q-seed-2/result.json" accuracy packed)
awk -v m="$mean" -v a="$one" -v b="$two" 'BEGIN { d = m - (a + b) / 2; exit d * d > 1e-20 }' ||
    fail "the mean of $one and $two is not $mean"
