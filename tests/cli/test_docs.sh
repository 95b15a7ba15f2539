#!/usr/bin/env bash
# docs/cli.md agrees with the program: every command's usage, options, defaults and
# placeholders stand in its section, and the section has no option that is not there.
set -euo pipefail
# shellcheck source=tests/cli/support.sh
source "${0%/*}/support.sh"
page=${0%/*}/../../docs/cli.md

# section TITLE: the lines of the page below "## TITLE".
section() {
    awk -v title="## $1" '/^## / { inside = $0 == title } inside' "$page" >"$work/section"
    [[ -s $work/section ]] || fail "the page has no section '$1'"
}

# options_agree KEY...: the option list of help.json below KEY... and the section's rows.
options_agree() {
    local i count name value default row
    count=$(json "$work/help.json" "$@" | grep -c '"required"' || true)
    for ((i = 0; i < count; i++)); do
        json "$work/help.json" "$@" "$i" >"$work/option"
        name=$(json "$work/option" name)
        value=$(sed -n 's/.*"value"[^"]*"\(.*\)".*/\1/p' "$work/option" | sed 's/\\//g')
        default=$(sed -n 's/.*"default"[^"]*"\(.*\)".*/\1/p' "$work/option" | sed 's/\\//g')
        [[ $(json "$work/option" required) != true ]] || default="must be given"
        row=$(grep -F -- "\`--$name${value:+ $value}\` |" "$work/section") ||
            fail "$*: no row for --$name $value"
        [[ $row == *"| $default |" || -z $default && $row == *"| |" ]] ||
            fail "$*: the default of --$name is not '$default'"
        echo "$name"
    done | sort >"$work/wanted"
    # shellcheck disable=SC2016
    sed -nE 's/^\| (`-.`, )?`--([a-z0-9-]+).*/\2/p' "$work/section" | sort >"$work/found"
    diff "$work/wanted" "$work/found" || fail "$*: options of the program and the page differ (< >)"
}

expect 0 help --json
cp "$work/stdout" "$work/help.json"
count=$(json "$work/help.json" commands | grep -c '"operands"')
for ((c = 0; c < count; c++)); do
    name=$(json "$work/help.json" commands "$c" name)
    read -ra words <<<"$name"
    section "$name"
    expect 0 "${words[@]}" --help
    has "$work/section" "    $(sed -n 's/^Usage: //p' "$work/stdout")"
    for letter in $(grep -oE '^  -., ' "$work/stdout" | tr -d ' ,' | grep -vxE -- '-[qh]'); do
        has "$work/section" "| \`$letter\`, "
    done
    options_agree commands "$c" options
done

section "Options of every command"
options_agree common_options
has "$work/section" "| \`-q\`, "
has "$work/section" "| \`-h\`, "

expect 0 --help
section "Exit statuses"
for status in $(awk '/^Exit status:/ { on = 1 } /^Environment:/ { on = 0 } on' "$work/stdout" |
    grep -oE '^  [0-9]+' | tr -d ' '); do
    has "$work/section" "| $status |"
done
section "Environment"
for variable in $(grep -oE '^  [A-Z_]{3,}' "$work/stdout" | tr -d ' '); do
    has "$work/section" "| \`$variable\` |"
done
