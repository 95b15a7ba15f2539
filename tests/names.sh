#!/usr/bin/env bash
# Internal names begin with their floor's or a module's name, none is there twice, and
# names in admmnn_ are the public headers': tests/names.sh OBJECT...
set -euo pipefail

cd "$(dirname "$0")/.."
found=0

wrong() {
    echo "names: $*" >&2
    found=1
}

# A module is a word of the name of one of the floor's files: run_ of run_log.c.
declare -A known
for file in src/*/*.c; do
    IFS=/ read -r _ floor name <<<"${file%.c}"
    known[$floor/$floor]=1
    for word in ${name//_/ }; do
        known[$floor/$word]=1
        known[$floor/${word%s}]=1
    done
done

# The runtime stands beside the house, and all of it has one prefix.
known[runtime/rt]=1
names=$(nm -A --extern-only --defined-only --format=posix "$@" |
    sed -nE 's|^.*/src/([a-z]+)/[a-z0-9_]+\.c\.o: ([^ ]+) .*|\1 \2|p
        s|^.*/(runtime)/[a-z0-9_]+\.c\.o: ([^ ]+) .*|\1 \2|p')
[[ -n $names ]] || wrong "the objects have none"
while read -r floor name; do
    word=${name%%_*}
    if [[ $word == admmnn ]]; then
        grep -qE "\b$name\(" include/admmnn/*.h || wrong "$name ($floor): in no public header"
    elif [[ -z ${known[$floor/$word]:-} ]]; then
        wrong "$name: '$word' is neither $floor nor a module of it"
    fi
done <<<"$names"
twice=$(awk '{ print $2 }' <<<"$names" | sort | uniq -d)
[[ -z $twice ]] || wrong "more than once: $twice"
exit "$found"
