#!/bin/sh
# Capture -> script: every TCP connection of every capture, played from both sides, becomes a script that passes with tolerance 0 and holds
# each packet of the captured peer.
status=0
scripts=0
for file in "$SRC"/captures/*.pcap "$SRC"/captures/*.pcapng; do
    for side in server client; do
        conn=1
        while "$NETSTACK" drill --from "$file" --conn $conn --as $side >from.pkt 2>from.err; do
            scripts=$((scripts + 1))
            "$NETSTACK" drill --strict-end --tolerance_usecs=0 --tolerance_percent=0 from.pkt >from.out 2>&1 ||
                { status=1; echo "FAIL: $file conn $conn as $side"; cat from.out; }
            [ "$(grep -c ' < ' from.pkt)" -gt 0 ] || { status=1; echo "FAIL: $file conn $conn as $side: no packet of the peer"; }
            conn=$((conn + 1))
            [ $conn -le 12 ] || break
        done
        grep -Eq 'no TCP connection|has [0-9]+ TCP connections' from.err || [ $conn -gt 12 ] ||
            { status=1; echo "FAIL: $file conn $conn as $side"; head -n 20 from.err; }
    done
done
echo "$scripts scripts"
[ $scripts -ge 60 ] || { echo "FAIL: only $scripts scripts"; status=1; }
exit $status
