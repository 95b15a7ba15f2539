# shellcheck shell=bash
# What the tests of the program share: a folder of their own, a small data set and
# recipe, and checks that say which line failed. Sourced, after `set -euo pipefail`.

: "${ADMMNN_BINARY:?the program to test}"
sanitized=0
[[ -z ${ADMMNN_SANITIZE:-} ]] || sanitized=1
work=$(mktemp -d)
export HOME=$work/home XDG_CACHE_HOME=$work/cache
unset ADMMNN_DATA
mkdir -p "$HOME" "$XDG_CACHE_HOME"
at_exit=()

clean_up() {
    for command in "${at_exit[@]}"; do
        eval "$command"
    done
    rm -rf "$work"
}
trap clean_up EXIT

admmnn() {
    "$ADMMNN_BINARY" "$@"
}

fail() {
    # The line of the test itself, however deep in functions the failure is.
    echo "$0: line ${BASH_LINENO[-2]}: $*" >&2
    if [[ -f $work/stdout ]]; then
        sed 's/^/  stdout: /' "$work/stdout" >&2
        sed 's/^/  stderr: /' "$work/stderr" >&2
    fi
    exit 1
}

# expect STATUS ARGUMENTS...: runs the program; what it wrote stays in $work/stdout
# and $work/stderr.
expect() {
    local wanted=$1 status=0
    shift
    admmnn "$@" >"$work/stdout" 2>"$work/stderr" || status=$?
    ((status == wanted)) || fail "admmnn $*: exit status $status, wanted $wanted"
}

# expect_error STATUS TEXT ARGUMENTS...: the same for a failure: nothing on standard
# output, and a last line on standard error that begins "admmnn: error:" and holds
# TEXT; with --quiet that line is the only one.
expect_error() {
    local wanted=$1 text=$2 status=0
    shift 2
    admmnn "$@" >"$work/stdout" 2>"$work/stderr" || status=$?
    ((status == wanted)) || fail "admmnn $*: exit status $status, wanted $wanted"
    [[ ! -s $work/stdout ]] || fail "admmnn $*: wrote to standard output"
    local line
    line=$(tail -n 1 "$work/stderr")
    [[ $line == "admmnn: error: "*"$text"* ]] || fail "admmnn $*: no '$text' in its error"
    if [[ " $* " == *" --quiet "* ]]; then
        (($(wc -l <"$work/stderr") == 1)) || fail "admmnn $*: more than one line"
    fi
}

# Other training images of the same number and size, until restore_images.
change_images() {
    local images=$work/data/train-images-idx3-ubyte
    cp "$images" "$work/kept-images"
    { head -c 5000 "$work/kept-images"; printf x; tail -c +5002 "$work/kept-images"; } >"$images"
}

restore_images() {
    mv "$work/kept-images" "$work/data/train-images-idx3-ubyte"
}

# has FILE TEXT
has() {
    grep -qF -- "$2" "$1" || fail "no '$2' in $1"
}

# lacks FILE TEXT
lacks() {
    ! grep -qF -- "$2" "$1" || fail "'$2' in $1"
}

# json FILE KEY...: a member of a JSON file, or all of it without a KEY; fails when the
# file is no JSON or has no such member.
json() {
    "$JSON_MEMBER" "$@" || fail "$1: no JSON with ${*:2}"
}

# npy_header TYPE SHAPE: what a NumPy array begins with; its elements follow.
npy_header() {
    local header="{'descr': '$1', 'fortran_order': False, 'shape': ($2), }"
    printf '\x93NUMPY\x01\x00'
    # shellcheck disable=SC2059 # the length is written as bytes
    printf "\\x$(printf %02x $((${#header} + 1)))\\x00"
    printf '%s\n' "$header"
}

# A data set of MNIST's layout in $work/data and a recipe for it that takes seconds.
make_job() {
    mkdir -p "$work/data"
    "$MAKE_DATASET" "$work/data" 600 200
    cat >"$work/recipe.yaml" <<END
model: lenet-300-100
dataset: {format: idx, path: $work/data, validation: 100}
seed: 1
training: {epochs: 2, batch: 32}
prune:
  rounds: [5, 20]
  admm: {iterations: 2, epochs: 1, training: {batch: 32}}
  retrain: {epochs: 1, batch: 32}
  finish: {epochs: 2, batch: 32}
quantize:
  bits: [{layer: fc1, bits: 3}, {layer: fc2, bits: 3}, {layer: fc3, bits: 3}]
  admm: {iterations: 2, epochs: 1, training: {batch: 32}}
  retrain: {epochs: 2, batch: 32}
END
}

# longer EPOCHS: so many that a stage lasts long enough to be watched or interrupted;
# an instrumented program, ten times slower and more, needs fewer.
longer() {
    echo $((sanitized ? $1 / 10 : $1))
}

# Longer: for what has to be interrupted in the middle.
make_long_job() {
    make_job
    sed -i "s/^training: {epochs: 2/training: {epochs: $(longer 400)/" "$work/recipe.yaml"
}

# same_results A B: two runs left the same bytes, seconds apart.
same_results() {
    local file
    for file in model.admm model.onnx small.onnx log.jsonl; do
        cmp "$1/$file" "$2/$file" || fail "$file differs between $1 and $2"
    done
    diff <(sed '/"seconds"/d' "$1/result.json") <(sed '/"seconds"/d' "$2/result.json") ||
        fail "result.json differs between $1 and $2"
}

# Nothing unfinished is left: no temporary file.
no_leftovers() {
    local found
    found=$(find "$1" -name '*.part')
    [[ -z $found ]] || fail "left behind: $found"
}

# npy FILE SHAPE: an array of bytes, those of standard input.
npy() {
    printf '\x93NUMPY\x01\x00\x76\x00%-117s\n' \
        "{'descr': '|u1', 'fortran_order': False, 'shape': ($2), }" >"$1"
    cat >>"$1"
}

# make_arrays FOLDER COUNT CHANNELS HEIGHT WIDTH: a data set of NumPy's arrays, digits all of
# class 0.
make_arrays() {
    local part
    for part in "$1"/train "$1"/test; do
        mkdir -p "$part"
        head -c $(($2 * $3 * $4 * $5)) <(seq 1000 99999 | tr -d '\n') |
            npy "$part/x.npy" "$2, $3, $4, $5"
        head -c "$2" /dev/zero | npy "$part/y.npy" "$2,"
    done
}
