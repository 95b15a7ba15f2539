#!/usr/bin/env bash
# Ctrl-C, SIGTERM and SIGHUP stop cleanly with a checkpoint; what is wrong with a
# checkpoint is said.
set -euo pipefail
# shellcheck source=tests/cli/support.sh
source "${0%/*}/support.sh"
make_long_job
checkpoint=checkpoint/run.ckpt

# A background child of a script ignores SIGINT from birth; this one must not.
start() {
    rm -f "$work/stderr"
    bash -c 'trap - INT; exec "$@"' start setsid --wait env --default-signal=INT \
        "$ADMMNN_BINARY" compress "$work/recipe.yaml" --out "$1" "${@:2}" \
        >"$work/stdout" 2>"$work/stderr" &
    child=$!
    for ((i = 0; i < 300; i++)); do
        grep -qs "dense training" "$work/stderr" && break
        sleep 0.02
    done
    grep -qs "dense training" "$work/stderr" || fail "the run did not begin"
    program=$(pgrep -f -x "$ADMMNN_BINARY compress $work/recipe.yaml --out $1 ${*:2}" | head -1)
}

stop_with() {
    start "$1" --threads 1
    kill "-$2" "$program"
    local status=0
    wait "$child" || status=$?
    ((status == 130)) || fail "$2: exit status $status"
    [[ ! -s $work/stdout ]] || fail "$2: wrote to standard output"
    has "$work/stderr" "admmnn: stopped on request"
    has "$work/stderr" "--resume"
    [[ -s $1/$checkpoint ]] || fail "$2: no checkpoint"
    [[ ! -e $1/result.json && ! -e $1/model.admm ]] || fail "$2: results of an unfinished run"
    no_leftovers "$1"
}

stop_with "$work/int" INT
stop_with "$work/term" TERM
stop_with "$work/hup" HUP

# Without --resume the unfinished run is left as it is.
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

# The second signal kills at once.
start "$work/twice" --threads 1
kill -STOP "$program"
kill -TERM "$program"
kill -CONT "$program"
kill -TERM "$program" 2>/dev/null || true
status=0
wait "$child" || status=$?
((status == 130 || status == 143)) || fail "two signals: exit status $status"
