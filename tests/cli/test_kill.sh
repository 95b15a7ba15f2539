#!/usr/bin/env bash
# A run killed again and again, at any moment, ends in the bytes of an undisturbed run.
set -euo pipefail
# shellcheck source=tests/cli/support.sh
source "${0%/*}/support.sh"
make_job
# A first checkpoint comes early, the end late: most of the kills fall between them.
finish=30 iterations=10
((!sanitized)) || finish=10 iterations=4
sed -i -e "s/finish: {epochs: 2/finish: {epochs: $finish/" \
    -e "/^prune:/,/^quantize:/s/iterations: 2/iterations: $iterations/" "$work/recipe.yaml"

expect 0 compress "$work/recipe.yaml" --out "$work/calm" --quiet

# went_on: the attempt took the checkpoint it found, and did not do again what was in
# it. Fails when it began from the start; false when it was killed before it said so.
went_on() {
    local note
    note=$(grep -m 1 '^admmnn: resumed: ' "$work/stderr") || true
    if [[ -z $note ]]; then
        [[ ! -s $work/stderr ]] || fail "attempt $i: a checkpoint, and no 'resumed:'"
        return 1
    fi
    [[ $note != *": dense training, round 1, epoch 0" ]] || fail "attempt $i: resumed at the start"
    [[ $note == *": dense training, "* ]] || ! grep -q '^admmnn: dense training:' "$work/stderr" ||
        fail "attempt $i: $note, and dense training again"
}

# Every attempt lives longer than the last, so that one comes to the end.
kills=0
kills_with_checkpoint=0
resumed=0
for ((i = 0; i < 50; i++)); do
    begun=0
    [[ ! -e $work/killed/checkpoint/run.ckpt ]] || begun=1
    "$ADMMNN_BINARY" compress "$work/recipe.yaml" --out "$work/killed" --resume \
        >/dev/null 2>"$work/stderr" &
    child=$!
    sleep "$(awk -v i="$i" 'BEGIN { printf "%.3f", 0.01 * 1.25 ^ i }')"
    kill -KILL "$child" 2>/dev/null || true
    status=0
    wait "$child" 2>/dev/null || status=$?
    ((!begun)) || ! went_on || resumed=$((resumed + 1))
    ((status == 0)) && break
    ((status == 137)) || fail "attempt $i: exit status $status"
    kills=$((kills + 1))
    [[ ! -e $work/killed/checkpoint/run.ckpt ]] ||
        kills_with_checkpoint=$((kills_with_checkpoint + 1))
    # What stands under a final name is whole.
    if [[ -e $work/killed/model.admm ]]; then
        admmnn inspect "$work/killed/model.admm" >/dev/null || fail "half a model"
    fi
    if [[ -e $work/killed/result.json ]]; then
        admmnn show "$work/killed" >/dev/null || fail "half a result"
    fi
done
((i < 50)) || fail "killed $kills times, never finished"
((kills_with_checkpoint >= 3)) || fail "only $kills_with_checkpoint kills after a checkpoint"
((resumed >= 3)) || fail "only $resumed attempts went on from a checkpoint"
same_results "$work/calm" "$work/killed"
echo "killed $kills times, $kills_with_checkpoint after a checkpoint; resumed $resumed times;" \
    "finished with the same bytes"
