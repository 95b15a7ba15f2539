#!/usr/bin/env bash
# What cannot be written to standard output is an error, not lost in silence.
set -euo pipefail
# shellcheck source=tests/cli/support.sh
source "${0%/*}/support.sh"

status=0
admmnn help >/dev/full 2>"$work/stderr" || status=$?
((status == 1)) || fail "full disk: exit status $status"
has "$work/stderr" "admmnn: error: standard output: cannot write: No space left on device"

status=0
admmnn help >&- 2>"$work/stderr" || status=$?
((status == 1)) || fail "closed: exit status $status"
has "$work/stderr" "admmnn: error: standard output: cannot write"

# The reader is gone before the program writes: it has what it wanted, all is quiet.
mkfifo "$work/pipe"
(exec 3<"$work/pipe")  &
exec 4>"$work/pipe"
wait $!
status=0
admmnn help >&4 2>"$work/stderr" || status=$?
exec 4>&-
((status == 0)) || fail "closed pipe: exit status $status"
[[ ! -s $work/stderr ]] || fail "closed pipe: wrote to standard error"

# As a user meets it.
for arguments in "help --man" "help --json"; do
    # shellcheck disable=SC2086
    { admmnn $arguments 2>"$work/stderr" || echo "$?" >"$work/status"; } | head -n 1 >"$work/stdout"
    [[ -s $work/stdout && ! -s $work/stderr && ! -e $work/status ]] || fail "$arguments | head"
done

# Without standard error there is nobody to tell, but the status stays.
status=0
admmnn show "$work/none" >/dev/null 2>&- || status=$?
((status == 2)) || fail "no standard error: exit status $status"
