#!/usr/bin/env bash
# Progress: a bar on a terminal, taken away at the end; plain lines elsewhere; nothing
# with --quiet.
set -euo pipefail
# shellcheck source=tests/cli/support.sh
source "${0%/*}/support.sh"
make_job
run=("$ADMMNN_BINARY" compress "$work/recipe.yaml" --out)

"${run[@]}" "$work/plain" >"$work/stdout" 2>"$work/stderr" || fail "exit status $?"
for stage in "dense training" "ADMM pruning" "masked retraining" "ADMM quantization"; do
    grep -qE "^admmnn: $stage.*: [0-9]+ %,.* elapsed" "$work/stderr" || fail "no line of $stage"
done
grep -qE "^admmnn: packing and testing: 100 %, [0-9:]+ elapsed" "$work/stderr" ||
    fail "packing counts nothing, but has a rate"
grep -qE "elapsed.*, validation [0-9.]+ %$" "$work/stderr" || fail "no validation accuracy"
! grep -q $'[\r\e]' "$work/stderr" || fail "a bar where there is no terminal"
percents=$(grep -oE ' [0-9]+ %,' "$work/stderr" | tr -dc '0-9\n')
[[ $percents == "$(sort -n <<<"$percents")" ]] || fail "progress went back: $percents"

# script(1) gives a terminal; more epochs give the bar time to be drawn.
command -v script >/dev/null || exit 77
sed -i "s/^training: {epochs: 2/training: {epochs: $(longer 60)/" "$work/recipe.yaml"
turn=0
on_terminal() {
    script --quiet --return --command \
        "stty cols $1; ${run[*]} $work/wide$((++turn)) --threads 1 2>&1 >/dev/null" /dev/null >"$work/typed"
}
export TERM=xterm
for columns in 40 10; do
    on_terminal "$columns" || fail "on a terminal: exit status $?"
    tr '\r' '\n' <"$work/typed" | sed 's/\x1b\[K//' >"$work/lines"
    bars=$(grep -c ' %' "$work/lines")
    ((bars >= 3)) || fail "$columns columns: no bar"
    longest=$(grep -v '^admmnn: ' "$work/lines" | awk '{ print length }' | sort -n | tail -1)
    ((longest < columns)) || fail "$columns columns: a line of $longest"
done

on_terminal 100
typed=$(cat "$work/typed")
grep -qE '\[=+>-+\] +[0-9]+ % .*images/s  validation [0-9.]+ %  .*, left [0-9]+:' <<<"$typed" ||
    fail "no bar with rate, accuracy and time left"
# After the last bar stands the order to empty its line.
[[ ${typed##*, left} == *$'\r\e[K'* ]] || fail "the bar was left on the screen"

# Nor by a command that only reads images first.
mkdir "$work/set"
"$MAKE_IMAGES" "$work/set" 6000 100
script --quiet --return --command "stty cols 100; $ADMMNN_BINARY export-c $work/plain/model.admm \
    --out $work/c --int8 --data $work/set --format folder --mean 0.2 --deviation 0.3 --threads 1" \
    /dev/null >"$work/typed" || fail "export-c on a terminal: exit status $?"
typed=$(cat "$work/typed")
[[ $typed == *"decoding the images ["* ]] || fail "no bar of the images"
[[ ${typed##*, left} == *$'\r\e[K'*": "*" weights"* ]] || fail "the table stands behind the bar"
