#!/bin/sh
# --help fits 40 lines of 100 columns and names only what exists; every topic prints; the settings are all listed
# with default and range; --version.
status=0
fail() {
    echo "FAIL: $*"
    status=1
}
for command in --help -h help; do
    "$NETSTACK" $command >help.$command 2>help.err || fail "netstack $command: exit status $?"
    [ ! -s help.err ] || fail "netstack $command writes to stderr"
    cmp -s help.--help help.$command || fail "netstack $command differs from --help"
done
[ "$(wc -l <help.--help)" -le 40 ] || fail "--help has $(wc -l <help.--help) lines"
long=$(awk 'length($0) > 100' help.--help)
[ -z "$long" ] || fail "--help is wider than 100 columns: $long"
for topic in tun replay drill link sim demo set exit; do
    grep -q "topics:.* $topic" help.--help || fail "--help does not name the topic $topic"
    "$NETSTACK" help $topic >help.topic 2>help.err || fail "netstack help $topic: exit status $?"
    [ "$(wc -l <help.topic)" -ge 5 ] || fail "netstack help $topic says hardly anything"
done
for command in drill link sim demo; do
    "$NETSTACK" help $command >help.topic
    for option in --help -h; do
        "$NETSTACK" $command $option >help.command 2>help.err || fail "netstack $command $option: exit status $?"
        cmp -s help.topic help.command || fail "netstack $command $option is not its topic"
    done
done
"$NETSTACK" help set >help.set
want=$(sed -n '/define NST_SETTINGS/,/^$/s/^ *X([A-Z0-9_]*, "\([a-z0-9._]*\)", \([^,]*\),.*/\1/p' "$SRC/include/netstack.h")
[ -n "$want" ] || fail "no settings found in netstack.h"
for setting in $want; do
    grep -Eq "^$setting +[0-9]+  [0-9]+\.\.[0-9]+" help.set || fail "help set lacks $setting"
done
[ "$(grep -Ec '^[a-z0-9]+\.[a-z0-9_]+ ' help.set)" -eq "$(echo "$want" | wc -l)" ] || fail "help set lists others"
[ "$("$NETSTACK" --version)" = "netstack $(sed -n 's/.*define NST_VERSION "\(.*\)"/\1/p' "$SRC/include/netstack.h")" ] ||
    fail "--version"
# A reader that goes away is no error; a disk that is full is.
"$NETSTACK" help set | head -n 1 >/dev/null || fail "help set | head"
"$NETSTACK" help set 2>help.err >/dev/full && fail "a full disk went unnoticed"
grep -q '^netstack: standard output: ' help.err || fail "full disk: $(cat help.err)"
exit $status
