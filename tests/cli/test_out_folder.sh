#!/usr/bin/env bash
# What stands in the folder of the results already: files of others are found before
# the training and left as they are, another run there is kept out, and what a killed
# one left unfinished is swept.
set -euo pipefail
# shellcheck source=tests/cli/support.sh
source "${0%/*}/support.sh"
make_long_job # refusals at the end of the training would not be seen here
out=$work/out

# foreign COMMAND NAME: a file, a folder and a dangling link of the name are refused at
# once, with --resume too, and nothing is added to the folder or taken from it.
foreign() {
    local kind before text
    for kind in file folder link; do
        rm -rf "$out" && mkdir "$out"
        case $kind in
            file) echo mine >"$out/$2" && text="$2: exists already" ;;
            folder) mkdir "$out/$2" && text="$2: cannot write: is a folder" ;;
            link) ln -s nowhere "$out/$2" && text="$2: cannot write: the link leads nowhere" ;;
        esac
        before=$(ls -lR "$out")
        for option in "" --resume; do
            [[ $kind$2$option != fileresult.json--resume ]] || text="not a result of admmnn"
            status=1
            [[ $kind != file ]] || status=2
            # shellcheck disable=SC2086
            expect_error $status "$text" "$1" "$work/recipe.yaml" --out "$out" $option --quiet
        done
        [[ $(ls -lR "$out") == "$before" ]] || fail "$1 --out DIR with a $kind $2: DIR was changed"
    done
}
for name in model.admm model.onnx small.onnx log.jsonl report.html result.json; do
    foreign compress "$name"
done
for name in comparison.svg comparison.json; do
    foreign compare "$name"
done
# A folder of the runs' name alone makes no comparison of it.
rm -rf "$out" && mkdir -p "$out/comparison-runs/start-seed-1"
echo mine >"$out/comparison.svg"
expect_error 2 "comparison.svg: exists already" compare "$work/recipe.yaml" --out "$out" --resume \
    --quiet
[[ $(cat "$out/comparison.svg") == mine ]] || fail "a picture of others was replaced"
# A refusal removes nothing.
rm -rf "$out" && mkdir "$out"
for name in result.json backup.2024-01.part comparison.svg.4200001-0.part; do
    echo mine >"$out/$name"
done
expect_error 2 "holds a run of compress" compare "$work/recipe.yaml" --out "$out" --quiet
(($(find "$out" -type f | wc -l) == 3)) || fail "a refused comparison removed a file"

# Names that nothing is written to are no matter, and neither is an empty folder.
make_job
rm -rf "$out" && mkdir -p "$out/checkpoint" && echo mine >"$out/notes.txt"
expect 0 compress "$work/recipe.yaml" --out "$out" --quiet
[[ $(cat "$out/notes.txt") == mine ]] || fail "a file of another name was changed"

# A run that was killed while it wrote: the next start sweeps, and only what is its own.
mkdir "$work/killed"
cp -r "$out/checkpoint" "$work/killed/"
parts=(checkpoint/run.ckpt.4200001-0.part model.admm.4200001-1.part)
for part in "${parts[@]}"; do
    : >"$work/killed/$part"
done
echo mine >"$work/killed/mine.part"
echo mine >"$work/killed/backup.4200001-0.part"
expect 0 compress "$work/recipe.yaml" --out "$work/killed" --resume --quiet
for part in "${parts[@]}"; do
    [[ ! -e $work/killed/$part ]] || fail "$part was not swept"
done
for name in mine.part backup.4200001-0.part; do
    [[ $(cat "$work/killed/$name") == mine ]] || fail "a file that is not ours was swept"
done

# A damaged result is made again from the checkpoint, as its error says.
cp -r "$out" "$work/damaged" && echo '{' >"$work/damaged/result.json"
for command in show "compress $work/recipe.yaml --resume --out"; do
    # shellcheck disable=SC2086
    expect_error 2 "remove it, and compress --resume makes it again" $command "$work/damaged" --quiet
done
rm "$work/damaged/result.json"
expect 0 compress "$work/recipe.yaml" --out "$work/damaged" --resume --quiet
same_results "$out" "$work/damaged"
same_results "$out" "$work/killed"

# The same for a comparison, and its runs.
compare=(compare "$work/recipe.yaml" --out "$work/compare" --seeds 1 --methods dense --ratios 5)
mkdir -p "$work/compare/comparison-runs/start-seed-1"
parts=(comparison.svg.4200001-0.part comparison-runs/start-seed-1/run.ckpt.4200001-1.part)
for part in "${parts[@]}"; do
    : >"$work/compare/$part"
done
expect 0 "${compare[@]}" --resume --quiet
no_leftovers "$work/compare"

# Neither works where the other did, finished or not, with --resume too.
# other_command COMMAND FOLDER TEXT
other_command() {
    local before option
    before=$(ls -lR "$2")
    for option in "" --resume; do
        # shellcheck disable=SC2086
        expect_error 2 "$3; choose another --out" "$1" "$work/recipe.yaml" --out "$2" $option --quiet
    done
    [[ $(ls -lR "$2") == "$before" ]] || fail "$1 --out $2: the folder was changed"
}
other_command compare "$out" "holds a run of compress (result.json)"
rm "$out"/*.*
other_command compare "$out" "holds a run of compress (checkpoint/run.ckpt)"
other_command compress "$work/compare" "holds a comparison (comparison.json)"
rm "$work/compare"/comparison.*
other_command compress "$work/compare" "holds a comparison (comparison-runs/)"

# Two at once in one folder: the second is refused, with --resume too.
make_long_job
# beside COMMAND FOLDER MARK OTHERS...: while the command runs, which makes the mark early
# in its folder.
beside() {
    local folder=$work/$2 mark=$work/$2/$3 child i option job
    "$ADMMNN_BINARY" "$1" "$work/recipe.yaml" --out "$folder" --quiet >/dev/null 2>&1 &
    child=$!
    at_exit+=("kill -KILL $child 2>/dev/null || true")
    for ((i = 0; i < 300; i++)); do
        [[ ! -d $mark ]] || break
        sleep 0.02
    done
    [[ -d $mark ]] || fail "the first did not begin"
    sleep 0.2
    for option in "" --resume; do
        for job in "${@:4}"; do
            # shellcheck disable=SC2086
            expect_error 2 "$2: another run is writing here" "$job" "$work/recipe.yaml" \
                --out "$folder" $option --quiet
        done
    done
    kill -0 "$child" || fail "the first did not go on"
    kill -KILL "$child"
}
beside compare two-comparisons comparison-runs/start-seed-1 compare
beside compress two-runs checkpoint compress compare
