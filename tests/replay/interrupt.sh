#!/bin/sh
# SIGINT in a batch mode: what was replayed so far is reported, exit 130. And --speed takes real time.
: "${NETSTACK:?path of the program}" "${SRC:?path of the sources}"
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT
# 4.5 s of recording at half speed: there is time to interrupt.
"$NETSTACK" --replay "$SRC/captures/keepalive.pcap" --speed 0.5x -q >"$out/text" 2>&1 &
pid=$!
sleep 1
kill -INT $pid
wait $pid
code=$?
cat "$out/text"
[ $code -eq 130 ] || { echo "exit $code instead of 130"; exit 1; }
grep -q 'replies as recorded' "$out/text" || { echo "no summary"; exit 1; }
begin=$(date +%s%N)
"$NETSTACK" --replay "$SRC/captures/tcp_connect.pcap" --speed real -q >"$out/text" 2>&1 || exit 1
took=$((($(date +%s%N) - begin) / 1000000))
echo "0.413 s of recording took $took ms"
[ $took -ge 400 ]
