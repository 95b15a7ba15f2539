#!/usr/bin/env bash
# A run killed again and again, at any moment, ends in the bytes of an undisturbed run.
set -euo pipefail
# shellcheck source=tests/cli/support.sh
source "${0%/*}/support.sh"
make_job

expect 0 compress "$work/recipe.yaml" --out "$work/calm" --quiet

# Every attempt lives longer than the last, so that one comes to the end.
kills=0
for ((i = 0; i < 40; i++)); do
    "$ADMMNN_BINARY" compress "$work/recipe.yaml" --out "$work/killed" --resume --quiet \
        >/dev/null &
    child=$!
    sleep "$(awk -v i="$i" 'BEGIN { printf "%.3f", 0.01 * 1.25 ^ i }')"
    kill -KILL "$child" 2>/dev/null || true
    status=0
    wait "$child" 2>/dev/null || status=$?
    ((status == 0)) && break
    ((status == 137)) || fail "attempt $i: exit status $status"
    kills=$((kills + 1))
    # What stands under a final name is whole.
    if [[ -e $work/killed/model.admm ]]; then
        expect 0 inspect "$work/killed/model.admm"
    fi
    if [[ -e $work/killed/result.json ]]; then
        expect 0 show "$work/killed"
    fi
done
((kills >= 3)) || fail "only $kills kills: the run is too short for this test"
((i < 40)) || fail "killed $kills times, never finished"
same_results "$work/calm" "$work/killed"
echo "killed $kills times, finished with the same bytes"
