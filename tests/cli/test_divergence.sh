#!/usr/bin/env bash
# A run that diverges: the message names the ADMM iteration, and what it did is left.
set -euo pipefail
# shellcheck source=tests/cli/support.sh
source "${0%/*}/support.sh"
make_job
# A step of 0.01 against a penalty of a million, in the second iteration.
rho="{schedule: geometric, first: 0.0001, last: 1000000}"
step="training: {batch: 32, optimizer: sgd, learning_rate: 0.01}"
sed "s/epochs: 1, training: {batch: 32}/rho: $rho, $step/" "$work/recipe.yaml" >"$work/wild.yaml"
message="ADMM iteration 2: ADMM pruning, round 1/2 (5x): the loss is not finite at epoch 2, step"

diverges() {
    expect_error 1 "$message" compress "$work/wild.yaml" --out "$work/out" --quiet "$@"
    [[ -s $work/out/checkpoint/run.ckpt ]] || fail "no checkpoint"
    [[ ! -e $work/out/result.json && ! -e $work/out/model.admm ]] || fail "results of a failed run"
    no_leftovers "$work/out"
    (($(grep -c '"kind":"epoch"' "$work/out/log.jsonl") == 3)) || fail "the log has not three epochs"
    (($(grep -c '"kind":"residual"' "$work/out/log.jsonl") == 3)) || fail "no residual a layer"
    local end='{"kind":"divergence","stage":"ADMM pruning","round":0,"iteration":1,"epoch":1}'
    [[ $(tail -n 1 "$work/out/log.jsonl") == "$end" ]] || fail "the log ends otherwise"
}

diverges
cp "$work/out/log.jsonl" "$work/log"
# The folder is the run's own: not another's, and going on leads to the same end.
expect_error 2 "holds an unfinished run" compress "$work/wild.yaml" --out "$work/out" --quiet
diverges --resume
cmp "$work/out/log.jsonl" "$work/log" || fail "--resume left another log"

# In a comparison: the point's own log.
expect_error 1 "ADMM iteration 2: ADMM pruning, round 1/1 (5x): the loss" compare \
    "$work/wild.yaml" --out "$work/many" --methods admm --ratios 5,20 --seeds 1 --quiet
[[ $(tail -n 1 "$work"/many/comparison-runs/admm-*/log.jsonl) == *'"kind":"divergence"'* ]] || fail "no log"

# Parameters that are finite, but so large that the outputs are not.
cat >"$work/huge.yaml" <<EOF
model: lenet-300-100
dataset: {format: idx, path: data, validation: 40}
training: {epochs: 6, batch: 4096, optimizer: sgd, learning_rate: 0.9, momentum: 0,
           weight_decay: 10, schedule: constant}
prune: {method: none}
quantize: {enabled: false}
EOF
expect_error 1 ": dense training: the validation loss is not finite" compress \
    "$work/huge.yaml" --out "$work/huge" --quiet
[[ ! -e $work/huge/result.json ]] || fail "results of a network without a loss"
! grep -q nan "$work/huge/log.jsonl" || fail "the log is not JSON"
