#!/bin/sh
# Captures from elsewhere, in both roles: none may crash, hang or leak; each stream and each reassembled datagram in
# the list beside them must be delivered exactly. The folder is not part of the repository.
: "${NETSTACK:?path of the program}" "${SRC:?path of the sources}"
here=$(dirname "$0")
folder=${FOREIGN_CAPTURES:-$SRC/../shared/captures}
if [ ! -f "$folder/EXPECT.tsv" ]; then
    echo "SKIP: no folder of foreign captures at $folder"
    exit 77
fi
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT
captures=0 bad=0 held=0
for file in "$folder"/*.pcap "$folder"/*.pcapng; do
    [ -f "$file" ] || continue
    captures=$((captures + 1))
    name=${file##*/}
    for role in server client; do
        timeout 60 "$NETSTACK" --replay "$file" --as $role --json >"$out/json" 2>"$out/err" </dev/null
        code=$?
        # 0 done, 4 bad input (a link type, a truncated file); anything else is a failure
        if [ $code -ne 0 ] && [ $code -ne 4 ]; then
            echo "$name as $role: exit $code"
            head -n 5 "$out/err"
            bad=$((bad + 1))
        fi
        if ! awk -v file="$name" -v role=$role -f "$here/expect.awk" "$folder/EXPECT.tsv" "$out/json" >"$out/verdict"
        then
            sed '$d' "$out/verdict"
            bad=$((bad + 1))
        fi
        held=$((held + $(sed -n '$s/ held.*//p' "$out/verdict")))
    done
done
echo "$captures captures in both roles, $held streams and datagrams as expected, $bad failures"
[ $bad -eq 0 ] && [ $captures -gt 0 ]
