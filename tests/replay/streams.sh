#!/bin/sh
# captures/EXPECT.tsv, written by the recording tools and not by netstack: per conversation the bytes that the played
# side received and sent, and its last state; DATAGRAMS.tsv: datagrams put together from fragments.
: "${NETSTACK:?path of the program}" "${SRC:?path of the sources}"
cd "$SRC" || exit 1
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT
rows=0 bad=0
tab=$(printf '\t')
while IFS=$tab read -r name local peer bytes_in sha_in bytes_out _ state; do
    case $name in '#'* | '') continue ;; esac
    rows=$((rows + 1))
    host=${local%:*}
    host=${host#[}
    timeout 60 "$NETSTACK" --replay "captures/$name" --as "${host%]}" --json </dev/null >"$out/json" 2>"$out/err"
    grep -F "\"local\":\"$local\",\"peer\":\"$peer\"" "$out/json" | grep -E '"ev":"(conn|udp)"' >"$out/line"
    for want in "\"bytes_in\":$bytes_in," "\"sha256_in\":\"$sha_in\"" "\"bytes_out\":$bytes_out," "\"state\":\"$state\""; do
        [ "$want" = '"state":"-"' ] && continue
        if ! grep -qF "$want" "$out/line"; then
            echo "$name $local < $peer: no $want in"
            cat "$out/line"
            bad=$((bad + 1))
        fi
    done
done <captures/EXPECT.tsv
while IFS=$tab read -r name _ _ _ _ sha _; do
    case $name in '#'* | '') continue ;; esac
    rows=$((rows + 1))
    if ! timeout 60 "$NETSTACK" --replay "captures/$name" --json </dev/null 2>&1 | grep '"ev":"datagram"' | grep -qF "$sha"
    then
        echo "$name: no datagram $sha"
        bad=$((bad + 1))
    fi
done <captures/DATAGRAMS.tsv
echo "$rows conversations and datagrams, $bad wrong"
[ $bad -eq 0 ] && [ $rows -gt 20 ]
