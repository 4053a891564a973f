#!/bin/sh
# attack_J5_same_input_same_bytes: the same capture twice gives the same report, the same recording (-w) and the same trace hash. And the
# recording, which holds the stack's own packets, is reproduced when it is replayed in turn.
: "${NETSTACK:?path of the program}" "${SRC:?path of the sources}"
cd "$SRC" || exit 1
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT
runs=0 bad=0
fail() {
    echo "$1"
    bad=$((bad + 1))
}
run() { # run NUMBER FILE OPTIONS...
    number=$1 file=$2
    shift 2
    timeout 60 "$NETSTACK" --replay "$file" -w "$out/$number" "$@" </dev/null >"$out/text$number" 2>&1
    sed 's/ in [0-9.]* ms$//' "$out/text$number" >"$out/report$number"
}
for file in captures/*.pcap captures/*.pcapng; do
    [ -f "$file" ] || continue
    runs=$((runs + 1))
    side=$(sed -n "s/^| \`${file##*/}\`.*(\`--as \([^\`]*\)\`).*/\1/p" captures/README.md)
    side=${side:-server}
    run 1 "$file" --as "$side"
    run 2 "$file" --as "$side"
    cmp -s "$out/report1" "$out/report2" || fail "$file: two reports"
    # The section comment holds the command line, which names the output: two names of the same length.
    sed "s|$out/1|$out/2|g" "$out/1" | cmp -s - "$out/2" || fail "$file: two recordings"
    timeout 60 "$NETSTACK" --replay "$out/1" --as "$side" --verify </dev/null >"$out/self" 2>&1 || {
        fail "$file: its own recording is not reproduced"
        grep -A 6 'differs from the recording' "$out/self"
    }
done
# Recording over the capture itself would destroy it.
cp captures/tcp_connect.pcap "$out/own.pcap"
"$NETSTACK" --replay "$out/own.pcap" -w "$out/own.pcap" >/dev/null 2>"$out/err" </dev/null
{ [ $? -eq 2 ] && cmp -s captures/tcp_connect.pcap "$out/own.pcap" &&
    grep -q 'is the capture that is replayed; --record needs another file$' "$out/err"; } || fail "-w over the capture"
echo "$runs captures twice and from their own recording, $bad failures"
[ $bad -eq 0 ] && [ $runs -ge 16 ]
