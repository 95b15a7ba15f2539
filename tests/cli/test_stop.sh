#!/usr/bin/env bash
# Ctrl-C, SIGTERM and SIGHUP stop cleanly with a checkpoint; what is wrong with a
# checkpoint is said.
set -euo pipefail
# shellcheck source=tests/cli/support.sh
source "${0%/*}/support.sh"
make_job
# Stages that take long enough to be interrupted in.
sed -i -e "s/^training: {epochs: 2/training: {epochs: $(longer 60)/" \
    -e "s/finish: {epochs: 2/finish: {epochs: $(longer 40)/" \
    -e "/^prune:/,/^quantize:/s/iterations: 2/iterations: $(longer 30)/" "$work/recipe.yaml"
checkpoint=checkpoint/run.ckpt

# start FOLDER TEXT OPTIONS...: returns when TEXT is on standard error. A background
# child of a script ignores SIGINT from birth; this one must not.
start() {
    rm -f "$work/stderr"
    bash -c 'trap - INT; exec "$@"' start setsid --wait env --default-signal=INT \
        "$ADMMNN_BINARY" compress "$work/recipe.yaml" --out "$1" "${@:3}" \
        >"$work/stdout" 2>"$work/stderr" &
    child=$!
    for ((i = 0; i < 3000; i++)); do
        grep -qs "$2" "$work/stderr" && break
        kill -0 "$child" 2>/dev/null || break
        sleep 0.02
    done
    grep -qs "$2" "$work/stderr" || fail "no '$2'"
    program=$(pgrep -f -x "$ADMMNN_BINARY compress $work/recipe.yaml --out $1 ${*:3}" | head -1)
    [[ -n $program ]] || fail "the run is over before it could be stopped"
}

# stop_with SIGNAL FOLDER TEXT OPTIONS...
stop_with() {
    start "$2" "$3" --threads 1 "${@:4}"
    kill "-$1" "$program"
    local status=0
    wait "$child" || status=$?
    ((status == 130)) || fail "$1: exit status $status"
    [[ ! -s $work/stdout ]] || fail "$1: wrote to standard output"
    has "$work/stderr" "admmnn: stopped on request"
    has "$work/stderr" "--resume"
    [[ -s $2/$checkpoint ]] || fail "$1: no checkpoint"
    [[ -f $2/log.jsonl ]] || fail "$1: no log"
    [[ ! -s $2/log.jsonl ]] || grep -aqF -- "$(tail -n 1 "$2/log.jsonl")" "$2/$checkpoint" ||
        fail "$1: the log is ahead of the checkpoint"
    ! grep -E '(dense training|search of bits|quantiz[a-z]*), round' "$work/stderr" ||
        fail "$1: a round where there is none"
    [[ ! -e $2/result.json && ! -e $2/model.admm ]] || fail "$1: results of an unfinished run"
    no_leftovers "$2"
}

stop_with INT "$work/int" "admmnn: dense training:"

# Stopped three times, each time in another stage, it ends in the bytes of a run that
# nobody disturbed.
cp -r "$work/int" "$work/thrice"
stop_with TERM "$work/thrice" "admmnn: ADMM pruning, round 1/2" --resume
has "$work/stderr" "admmnn: resumed: dense training, epoch"
stop_with HUP "$work/thrice" "admmnn: masked retraining, round 2/2" --resume
has "$work/stderr" "admmnn: resumed: ADMM pruning, round 1/2 (5x), epoch"
grep -q '"kind":"epoch"' "$work/thrice/log.jsonl" || fail "no epochs in the log"
expect 0 compress "$work/recipe.yaml" --out "$work/thrice" --threads 1 --resume
has "$work/stderr" "admmnn: resumed: masked retraining, round 2/2 (20x), epoch"
expect 0 compress "$work/recipe.yaml" --out "$work/calm" --threads 1 --quiet
same_results "$work/calm" "$work/thrice"

! grep -E '(dense training|search of bits|quantiz[a-z]*), round' "$work/stderr" ||
    fail "a round where there is none"

# Without --resume the unfinished run is left as it is, and show says what it is.
expect_error 2 "int: its run is not finished; 'admmnn compress" show "$work/int" --quiet
before=$(cksum <"$work/int/$checkpoint")
expect_error 2 "--resume goes on with it" compress "$work/recipe.yaml" --out "$work/int" --quiet
[[ $(cksum <"$work/int/$checkpoint") == "$before" ]] || fail "the checkpoint was touched"

# Another recipe, another seed, another number of threads: not this run.
sed 's/batch: 32/batch: 16/' "$work/recipe.yaml" >"$work/other.yaml"
expect_error 2 "" compress "$work/other.yaml" --out "$work/int" --resume --quiet --threads 1
expect_error 2 "" compress "$work/recipe.yaml" --out "$work/int" --resume --quiet --threads 1 \
    --seed 99
expect_error 2 "" compress "$work/recipe.yaml" --out "$work/int" --resume --quiet --threads 2
change_images
expect_error 2 "made with other training images" compress "$work/recipe.yaml" --out "$work/int" \
    --resume --quiet --threads 1
restore_images

# A damaged checkpoint: cut off, a bit turned, something else.
size=$(stat -c %s "$work/int/$checkpoint")
for damage in cut turned other empty; do
    rm -rf "$work/damaged"
    cp -r "$work/int" "$work/damaged"
    file=$work/damaged/$checkpoint
    case $damage in
        cut) truncate -s $((size / 2)) "$file" ;;
        turned)
            byte=$(od -An -tu1 -j $((size / 2)) -N1 "$file")
            # shellcheck disable=SC2059
            printf "\\x$(printf %02x $((byte ^ 64)))" |
                dd of="$file" bs=1 seek=$((size / 2)) conv=notrunc status=none
            ;;
        other) cp "$work/recipe.yaml" "$file" ;;
        empty) : >"$file" ;;
    esac
    expect_error 2 "run.ckpt" compress "$work/recipe.yaml" --out "$work/damaged" --resume --quiet \
        --threads 1
done

# The second signal kills at once, even where the clean stop cannot come to its end:
# standard error is a pipe that is full, and nobody reads it. A hang-up that was ignored
# (nohup) stays so.
state_of() {
    sed -n "s/^$1:[[:space:]]*//p" "/proc/$child/status" 2>/dev/null || true
}

# Waits for up to 20 s until the command succeeds.
wait_until() {
    for ((i = 0; i < 1000; i++)); do
        "$@" && return
        sleep 0.02
    done
    kill -KILL "$child"
    fail "never: $*"
}

# SigCgt: the signals that are caught, bit n - 1 for signal n.
catches_term() {
    local caught
    caught=$(state_of SigCgt)
    (((16#${caught:-0} >> 14 & 1) == 1))
}
has_handled_term() {
    ! catches_term
}
is_dead() {
    local state
    state=$(state_of State)
    [[ -z $state || $state == Z* ]]
}

mkfifo "$work/full"
exec 5<>"$work/full"
(
    trap '' HUP
    exec "$ADMMNN_BINARY" compress "$work/recipe.yaml" --out "$work/twice" --threads 1 \
        >"$work/stdout" 2>"$work/full" 5<&-
) &
child=$!
read -r -t 60 line <&5 || fail "the run did not begin"
[[ $line == "admmnn: dense training:"* ]] || fail "the run began with: $line"
catches_term || fail "SIGTERM is not caught"
for size in 4096 1; do
    dd if=/dev/zero of="$work/full" bs=$size oflag=nonblock status=none 2>/dev/null || true
done
kill -TERM "$child"
wait_until has_handled_term
is_dead && fail "the first signal killed"
kill -HUP "$child"
sleep 0.2
is_dead && fail "an ignored hang-up killed"
kill -TERM "$child"
wait_until is_dead
status=0
wait "$child" || status=$?
((status == 143)) || fail "two signals: exit status $status"
exec 5<&-
