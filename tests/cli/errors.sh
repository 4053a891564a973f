#!/bin/sh
# Every refusal of the command line, word for word, with exit status 2 and nothing on stdout. The expected texts
# stand in errors.txt: "$ arguments", then the lines of stderr. Run with UPDATE=1 to write it anew and read the
# difference.
want=$SRC/tests/cli/errors.txt
status=0
run() {
    # shellcheck disable=SC2086  # words are what is wanted; quotes in the table group them
    eval "set -- $1"
    timeout 5 "$NETSTACK" "$@" </dev/null
}
sed -n 's/^\$ //p' "$want" >errors.commands
: >errors.got
while IFS= read -r line; do
    run "$line" >errors.stdout 2>errors.stderr
    code=$?
    [ $code -eq 2 ] || { echo "FAIL: netstack $line: exit status $code, not 2"; status=1; }
    [ ! -s errors.stdout ] || { echo "FAIL: netstack $line: writes to stdout"; status=1; }
    { printf '$ %s\n' "$line"; cat errors.stderr; } >>errors.got
done <errors.commands
[ "$(wc -l <errors.commands)" -ge 40 ] || { echo "FAIL: the table is too short"; status=1; }
[ -z "${UPDATE:-}" ] || cp errors.got "$want"
diff -u "$want" errors.got || { echo "FAIL: other texts than in tests/cli/errors.txt"; status=1; }
exit $status
