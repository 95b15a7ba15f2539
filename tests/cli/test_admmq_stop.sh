#!/usr/bin/env bash
# SIGTERM ends admmq solve and bench within seconds, whatever they are at; what there is of an
# answer is printed whole.
set -euo pipefail
# shellcheck source=tests/cli/support.sh
source "${0%/*}/support.sh"

# A chain of 2 on the diagonal and -1 beside it, which conjugate gradients are long with, and
# one large entry apart, beside which Lanczos's method is soon content.
count=100000
awk -v n=$count 'BEGIN {
    print "%%MatrixMarket matrix coordinate real symmetric"
    print n, n, 2 * n - 2
    for (i = 1; i < n; i++) {
        print i, i, 2
        if (i > 1)
            print i, i - 1, -1
    }
    print n, n, 1e6 }' >"$work/chain.mtx"
{
    npy_header '|u1' "$count,"
    head -c $count /dev/zero | tr '\0' '\1'
} >"$work/ones.npy"

# Q = G'G + I with entries of G drawn from 0 and 1: more than branch and bound comes to an end of.
side=64
# bytes PROGRAM: what it prints, whole numbers below 256, as bytes.
bytes() {
    # shellcheck disable=SC2059 # the bytes are written as escapes
    printf "$(awk -v d=$side "$1" | awk '{ printf "\\x%02x", $1 }')"
}
{
    npy_header '|u1' "$side, $side"
    # shellcheck disable=SC2016 # awk's own variables
    bytes 'BEGIN {
        srand(3)
        for (k = 0; k < d * d; k++)
            g[k] = rand() < 0.5
        for (i = 0; i < d; i++)
            for (j = 0; j < d; j++) {
                sum = i == j
                for (k = 0; k < d; k++)
                    sum += g[k * d + i] * g[k * d + j]
                print sum
            } }'
} >"$work/dense.npy"
{
    npy_header '|u1' "$side,"
    bytes 'BEGIN { srand(5); for (i = 0; i < d; i++) print int(255 * rand()) }'
} >"$work/b.npy"

# Hundredths of a second of a processor's time that the program has had.
time_had() {
    awk '{ print $14 + $15 }' "/proc/$child/stat" 2>/dev/null || echo 0
}

# stop WHEN ARGUMENTS...: SIGTERM when WHEN is on standard error, or, where it is a number, after
# as many hundredths of a second of work.
stop() {
    local wanted=$1 status=0 since
    shift
    : >"$work/stderr"
    "$ADMMNN_BINARY" "$@" >"$work/stdout" 2>"$work/stderr" &
    child=$!
    for ((i = 0; i < 3000; i++)); do
        if [[ $wanted == [0-9]* ]]; then
            (($(time_had) < wanted)) || break
        else
            ! grep -qs "$wanted" "$work/stderr" || break
        fi
        kill -0 "$child" 2>/dev/null || fail "$*: over before it could be stopped"
        sleep 0.02
    done
    kill -TERM "$child"
    since=$SECONDS
    while kill -0 "$child" 2>/dev/null && ((SECONDS - since < 20)); do
        sleep 0.02
    done
    kill -KILL "$child" 2>/dev/null && fail "$*: goes on"
    wait "$child" || status=$?
    ((status == 130)) || fail "$*: exit status $status"
    [[ $(tail -n 1 "$work/stderr") == "admmnn: "*stopped* ]] || fail "$*: does not say so"
}

# has_answer LAST: the JSON of a stopped run is whole, with x up to coordinate LAST.
has_answer() {
    [[ $(json "$work/stdout" status) == "stopped on request" ]] || fail "another status"
    json "$work/stdout" x "$1" >"$work/last"
    [[ $(<"$work/last") == ?(-)+([0-9]) ]] || fail "x is not whole"
}
shopt -s extglob

dense=(admmq solve --q "$work/dense.npy" --b "$work/b.npy" --json --threads 2)
endless=(--iterations 18446744073709551615)
stop "admm-q: 0 %" "${dense[@]}" --set grid:1 "${endless[@]}"
has_answer 63
stop 50 "${dense[@]}" --set grid:1 --method admm-r --starts 3 "${endless[@]}"
has_answer 63
stop 50 "${dense[@]}" --set grid:1:-1000:1000 --method exact
has_answer 63

# Within conjugate gradients, and within the gradient steps of one x step.
sparse=(admmq solve --q "$work/chain.mtx" --b "$work/ones.npy" --set grid:1 --json)
stop "admm-q: 0 %" "${sparse[@]}" --rho-relative 1e-14
has_answer 99999
stop "admm-q: 0 %" "${sparse[@]}" --x-step gradient --gradient-steps 4000000000 --tolerance 1e-300
has_answer 99999
stop 100 "${sparse[@]}" --method round
[[ ! -s $work/stdout ]] || fail "round: an answer before there is a point"

# Experiments leave nothing of what they did not end, but runs that can be gone on with.
stop 100 admmq bench quadratics --out "$work/out"
[[ ! -s $work/stdout && -z $(ls "$work/out") ]] || fail "figures of an unfinished experiment"
make_long_job
mkdir "$work/recipes"
cp "$work/recipe.yaml" "$work/recipes"
stop "dense training" admmq bench recipes --recipes "$work/recipes" --out "$work/side" --threads 1
[[ ! -s $work/stdout && ! -e $work/side/recipes.json ]] || fail "figures of an unfinished experiment"
[[ -s $work/side/recipe-runs/recipe-seed-1/checkpoint/run.ckpt ]] || fail "no checkpoint"
no_leftovers "$work/side"
