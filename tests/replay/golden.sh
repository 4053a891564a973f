#!/bin/sh
# Every capture of captures/ against its golden report. UPDATE=1 writes the reports anew: read the difference before
# it is committed. A capture of more than 170 packets is kept without its table. The first line of a golden file is
# the options used, the last one the exit code: 1 = differs from the recording, and the report says by which rule.
: "${NETSTACK:?path of the program}" "${SRC:?path of the sources}"
golden=$SRC/tests/replay/golden
cd "$SRC" || exit 1
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT
captures=0 bad=0 differ=0
# The real time changes with every run; the trace hash with every trace event that is added, ci/hashes compares it.
mask() {
    sed 's/ in [0-9.]* ms$/ in N ms/; s/^trace sha256 [0-9a-f]\{64\} /trace sha256 HASH /'
}
# Options of a capture that needs some: the side that captures/README.md names.
report() {
    echo "options: $2"
    # shellcheck disable=SC2086
    timeout 60 "$NETSTACK" --replay "$1" $2 2>&1 </dev/null
    echo "exit $?"
}
for file in captures/*.pcap captures/*.pcapng; do
    [ -f "$file" ] || continue
    name=${file##*/}
    captures=$((captures + 1))
    options=--verify
    side=$(sed -n "s/^| \`$name\`.*(\`\(--as [^\`]*\)\`).*/\1/p" captures/README.md)
    [ -z "$side" ] || options="$options $side"
    report "$file" "$options" | mask >"$out/report"
    if [ "$(grep -c . "$out/report")" -gt 180 ]; then
        report "$file" "$options -q" | mask >"$out/report"
    fi
    grep -q '^exit 1$' "$out/report" && differ=$((differ + 1))
    if [ "${UPDATE:-0}" = 1 ]; then
        mkdir -p "$golden"
        cp "$out/report" "$golden/$name.txt"
    elif ! diff -u "$golden/$name.txt" "$out/report"; then
        echo "$name: not as golden/$name.txt"
        bad=$((bad + 1))
    fi
done
for file in "$golden"/*.txt; do
    name=${file##*/}
    [ -f "captures/${name%.txt}" ] || { echo "golden/$name: no such capture"; bad=$((bad + 1)); }
done
echo "$captures captures, $((captures - differ)) as recorded, $differ differ by a rule, $bad not as golden"
[ $bad -eq 0 ] && [ $captures -ge 16 ]
