#!/usr/bin/env bash
# LeNet-5 on a Cortex-M4 under QEMU: the same answers as on the host, on MNIST where it was
# fetched; the sections' sizes are those that export-c prints.
set -euo pipefail
mnist=${XDG_CACHE_HOME:-$HOME/.cache}/admmnn/mnist
# shellcheck source=tests/cli/support.sh
source "${0%/*}/support.sh"
board=$(cd "${0%/*}/../export/board" && pwd)
tool=arm-none-eabi

for program in $tool-gcc qemu-system-arm; do
    command -v "$program" >/dev/null || {
        echo "$program is not installed (scripts/install-dependencies arm): skipped"
        exit 77
    }
done

# ---- a network: of MNIST's first images, else of bars ----

# first COUNT FILE HEADER BYTES: the first COUNT elements of MNIST's training file, BYTES each
# behind HEADER bytes.
first() {
    {
        head -c 4 "$mnist/$2"
        # shellcheck disable=SC2059 # the number is written as bytes
        printf "$(printf '\\x%02x' 0 0 $(($1 / 256)) $(($1 % 256)))"
        head -c $(($3 + $1 * $4)) "$mnist/$2" | tail -c +9
    } >"$work/data/$2"
}
mkdir "$work/data"
least=90
if [[ -f $mnist/train-images-idx3-ubyte && -f $mnist/t10k-images-idx3-ubyte ]] && ((!sanitized)); then
    first 6000 train-images-idx3-ubyte 16 784
    first 6000 train-labels-idx1-ubyte 8 1
    ln -s "$mnist"/t10k-{images-idx3,labels-idx1}-ubyte "$work/data"
    least=85
else
    "$MAKE_DATASET" "$work/data" 600 200
fi
cat >"$work/recipe.yaml" <<END
model: lenet-5
dataset: {format: idx, path: $work/data, validation: 100}
seed: 1
training: {epochs: 1, learning_rate: 0.002}
prune:
  rounds: [20]
  admm: {iterations: 1, epochs: 1}
  retrain: {epochs: 1}
  finish: {epochs: 1}
quantize:
  bits: [{layer: conv1, bits: 3}, {layer: conv2, bits: 3}, {layer: fc1, bits: 3}, {layer: fc2, bits: 3}]
  admm: {iterations: 1, epochs: 1}
  retrain: {epochs: 1}
END
expect 0 compress "$work/recipe.yaml" --out "$work/run" --quiet

# ---- the same answers, of floats and of 8 bits ----

images=100
head -c $((16 + images * 784)) "$work/data/t10k-images-idx3-ubyte" | tail -c +17 >"$work/images.bin"
head -c $((8 + images)) "$work/data/t10k-labels-idx1-ubyte" | tail -c +9 | od -An -v -w1 -tu1 >"$work/labels"
target=(-std=c99 -Os -mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16)

# runs NAME OPTION...: on the host and on the board.
runs() {
    (
        cd "$work"
        $tool-gcc "${target[@]}" "${@:2}" -Wall -Wextra -Wpedantic -Wconversion -Werror \
            -fstack-usage -c net.c
        $tool-gcc "${target[@]}" "${@:2}" -I. -I"$board" "$board"/{board,program}.c net.o \
            -nostartfiles -T "$board/board.ld" -lm -o net.elf
        cc -std=c99 -O1 "${@:2}" -I. -I"$board" "$board"/{host,program}.c net.c -lm -o host
        ./host >host.txt
        timeout 300 qemu-system-arm -machine mps2-an386 -cpu cortex-m4 -kernel net.elf \
            -display none -monitor none -serial none \
            -semihosting-config enable=on,target=native -icount shift=0 >board.txt 2>&1
    ) || fail "$1: the board's program failed"
    diff <(grep -v instructions "$work/host.txt") <(grep -v instructions "$work/board.txt") ||
        fail "$1: the board answers otherwise (>) than the host (<)"
    (($(grep -vc instructions "$work/board.txt") == images)) || fail "$1: not $images answers"
    right=$(paste "$work/labels" "$work/board.txt" | awk '$1 == $2' | wc -l)
    ((right >= least)) || fail "$1: $right of $images right"
    instructions=$(sed -n 's/^instructions //p' "$work/board.txt")
    ((instructions > 100000 && instructions < 40000000)) || fail "$1: $instructions instructions"
    echo "$1: $instructions instructions, $right of $images right"
}
expect 0 export-c "$work/run/model.admm" --out "$work" --name net --int8 --data "$work/data"
runs "8 bits" -DPROGRAM_INT8
expect 0 export-c "$work/run/model.admm" --out "$work" --name net --force --json
cp "$work/stdout" "$work/sizes.json"
runs floats

# ---- the sizes that were printed ----

section() {
    $tool-size -A "$work/net.o" | awk -v name="$1" '$1 ~ name { sum += $2 } END { print sum + 0 }'
}
flash=0
for part in weights biases constants tables; do
    flash=$((flash + $(json "$work/sizes.json" flash $part)))
done
constants=$(section '^[.]rodata')
# Tables begin at multiples of four.
((constants >= flash && constants < flash + 64)) || fail "$constants bytes of constants, not $flash"
(($(section '^[.]bss') == $(json "$work/sizes.json" ram values))) || fail "another static buffer"
# No call is deeper than five functions.
stack=$(awk '{ print $(NF - 1) }' "$work/net.su" | sort -nr | awk 'NR <= 5 { sum += $1 } END { print sum }')
((stack > 0 && stack <= $(json "$work/sizes.json" ram stack))) || fail "frames of $stack bytes"
echo "$(section '^[.]text') bytes of code, $constants of constants"
