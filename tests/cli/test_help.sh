#!/usr/bin/env bash
# Help of every command, the man page and the completion agree with one another.
set -euo pipefail
# shellcheck source=tests/cli/support.sh
source "${0%/*}/support.sh"

expect 0 help --json
cp "$work/stdout" "$work/help.json"
count=$(json "$work/help.json" commands | grep -c '"operands"')
# Every subcommand is a file of its own; one that is not listed is a dead one.
files=("${0%/*}"/../../src/cli/command_*.c)
((count == ${#files[@]})) || fail "$count commands in help --json, ${#files[@]} files"

expect 0 help --man
sed 's/\\-/-/g; s/\\(aq/'"'"'/g' "$work/stdout" >"$work/manual"
expect 0 help --completion
cp "$work/stdout" "$work/completion"
bash -n "$work/completion" || fail "the completion is no bash"
expect 0 --help
cp "$work/stdout" "$work/all"

for ((i = 0; i < count; i++)); do
    name=$(json "$work/help.json" commands "$i" name)
    read -ra words <<<"$name"
    expect 0 "${words[@]}" --help
    [[ ! -s $work/stderr ]] || fail "$name --help wrote to standard error"
    cp "$work/stdout" "$work/one"
    for text in "Usage: admmnn $name" "Options:" "Examples:" "Exit status:" --json --quiet \
        --threads; do
        [[ $text == Options: ]] && text="ptions:"
        has "$work/one" "$text"
    done
    (($(awk '{ print length }' "$work/one" | sort -n | tail -1) <= 100)) || fail "$name: long lines"
    expect 0 help "${words[@]}"
    cmp "$work/one" "$work/stdout" || fail "help $name differs from $name --help"
    # A command's own options and usage stand in the man page and the completion.
    usage=$(sed -n 's/^Usage: //p' "$work/one")
    has "$work/manual" ".SS $usage"
    has "$work/all" "$name"
    # shellcheck disable=SC2013
    for option in $(grep -oE '^  (-., )?--[a-z0-9-]+' "$work/one" | grep -oE -- '--[a-z0-9-]+'); do
        has "$work/manual" "$option"
        grep -F "\"$name\")" "$work/completion" | grep -qF -- "$option" ||
            fail "the completion of $name lacks $option"
    done
done

expect 0 data --help
has "$work/stdout" "data fetch"
expect 0 help data
has "$work/stdout" "data path"
expect 0 --version
version=$(cat "$work/stdout")
expect 0 version --json
[[ $version == "admmnn $(json "$work/stdout" version)" ]] || fail "versions differ"
cp "$work/stdout" "$work/version.json"
for option in --version -V; do
    expect 0 "$option" --json
    cmp "$work/stdout" "$work/version.json" || fail "$option --json differs from version --json"
done
expect 0 --help --json
cmp "$work/stdout" "$work/help.json" || fail "--help --json differs from help --json"
expect 0 help compress
cp "$work/stdout" "$work/one"
expect 0 -h compress
cmp "$work/stdout" "$work/one" || fail "-h compress differs from help compress"

# man's own reader finds nothing to complain of.
if command -v man >/dev/null; then
    expect 0 help --man
    complaints=$(man --warnings=all -l "$work/stdout" 2>&1 >/dev/null || true)
    [[ -z $complaints ]] || fail "man: $complaints"
fi

complete_words() {
    COMP_WORDS=("$@")
    COMP_CWORD=$(($# - 1))
    COMPREPLY=()
    _admmnn
    echo "${COMPREPLY[*]}"
}
# Of bash, and not to be had outside a completion.
compopt() {
    echo "$*" >"$work/compopt"
}
completes() {
    local wanted=$1
    shift
    rm -f "$work/compopt"
    [[ $(complete_words "$@") == "$wanted" ]] || fail "completion of ${*:2}: $(complete_words "$@")"
}
# shellcheck source=/dev/null
source "$work/completion"
[[ $(complete_words admmnn comp) == "compress compare" ]] || fail "completion of comp"
[[ $(complete_words admmnn data f) == fetch ]] || fail "completion of data f"
[[ $(complete_words admmnn data fetch --fr) == --from ]] || fail "completion of data fetch --fr"
[[ $(complete_words admmnn compress --res) == --resume ]] || fail "completion of --res"
mkdir "$work/data" "$work/mnist" # no names for words
cd "$work"
completes data admmnn dat
[[ ! -e compopt ]] || fail "a command completes as the name of a file"
completes "mnist cifar10" admmnn data fetch ""
completes mnist admmnn data path m
completes "fetch path" admmnn help data ""
completes pack admmnn help pa
completes "--man" admmnn help --m
completes "auto dense relative bitmap entropy" admmnn pack x.onnx --positions ""
completes "huffman" admmnn pack x.onnx --values = h
completes "auto fixed huffman range" admmnn pack x.onnx --values =
completes "admm,random" admmnn compare r.yaml --methods admm,ra
has compopt nospace
completes "gradual gradual-per-layer" admmnn compare r.yaml --methods gr
completes "" admmnn data fetch --from nowhere/
has compopt filenames
cd "$OLDPWD"
touch "$work/a recipe.yaml"
[[ $(complete_words admmnn compress "$work/a ") == "$work/a recipe.yaml" ]] ||
    fail "completion of a file"
