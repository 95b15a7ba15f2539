#!/usr/bin/env bash
# Wrong usage: exit status 2, one line, the nearest name; nothing is made.
set -euo pipefail
# shellcheck source=tests/cli/support.sh
source "${0%/*}/support.sh"
cd "$work"

expect_error 2 "a command is missing"
expect_error 2 "did you mean 'compress'?" compres
expect_error 2 "did you mean 'data fetch'?" data fetsh mnist
expect_error 2 "did you mean 'data'?" datta
expect_error 2 "did you mean 'data'?" help datta
expect_error 2 "unknown command 'zebra'; 'admmnn help' lists them" zebra
expect_error 2 "--man is of the whole program; leave out 'compress'" help compress --man
expect_error 2 "--man and --json: give one of them" help --man --json
expect_error 2 "--man and --completion: give one of them" help --completion --man
expect_error 2 "what to do is missing" data
expect_error 2 "did you mean 'inspect'?" help inspcet
expect_error 2 "unknown command ''" ""
expect_error 2 "RECIPE is missing; usage: admmnn compress RECIPE --out DIR" compress
expect_error 2 "--out DIR is missing" compress recipe.yaml
expect_error 2 "--out: DIR is missing" compress recipe.yaml --out
expect_error 2 "--out: DIR is missing" compress recipe.yaml --out=
expect_error 2 "did you mean '--resume'?" compress recipe.yaml --out out --rseume
expect_error 2 "unknown option '--frobnicate'" compress recipe.yaml --out out --frobnicate
expect_error 2 "unknown option '-z'" show -z
expect_error 2 "--json takes no value" show out --json=yes
expect_error 2 "'b' is one argument too many" show a b
for number in -1 1e3 0x10 2000 18446744073709551616 "" " 1"; do
    expect_error 2 "--threads:" show out --threads "$number"
done
expect_error 2 "--seed: 'x' is not a whole number" compress recipe.yaml --out out --seed x
expect_error 2 "'0' is not a whole number from 1 to 1000" compare r.yaml --out out --seeds 0
expect_error 2 "'--json' stands before the command" --json version
expect_error 2 "'-q' stands before the command" -q show out
expect_error 2 "'--' stands before the command" -- version
expect_error 2 "data: '--json' stands before the command" data --json path mnist
expect_error 2 "one argument too many" --version now
expect_error 2 "--out: DIR is missing before '--resume'" compress recipe.yaml --out --resume
expect_error 2 "--out: DIR is missing before '--'" compress --out -- recipe.yaml
expect_error 2 "-q takes no value: '-qh'" show out -qh
expect_error 2 "'-o=out': give it as -o VALUE or --out=VALUE" compress recipe.yaml -o=out
expect_error 2 "run: --input is given twice, as 'a=x.npy' and as 'b=y.npy'" \
    run m.onnx --input a=x.npy --input b=y.npy --output z.npy
expect_error 2 "run: --output is given twice, as 'x' and as 'x'" run m.onnx -o x -i y --output=x
[[ ! -e out ]] || fail "a folder was made by a wrong command"

# --help wins over what follows; "--" ends the options; --name=value is --name value.
expect 0 compress --help --nonsense
expect_error 2 "--odd" show -- --odd
expect_error 2 "none" show --threads=1 --quiet none
expect_error 2 "result.json" show --threads=1 -- -none
: >made
expect_error 2 "made: exists" pack none.onnx -omade
expect_error 2 "made: exists" pack none.onnx --out first --out made # the last counts
: >-o
expect_error 2 "-o: no graph" pack -o x -- -o
rm -- -o
# A name from outside cannot write over the terminal.
expect_error 2 "?[31m" show $'\e[31m\n'
(($(wc -l <"$work/stderr") == 1)) || fail "an error of more than one line"

# Far more threads than cores are warned of, with --quiet too.
expect 2 inspect none --threads 1024 --quiet
has "$work/stderr" "admmnn: warning: --threads 1024: "
expect 2 inspect none --threads 4 --quiet
! grep warning "$work/stderr" || fail "a warning of four threads"
