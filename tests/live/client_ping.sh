#!/bin/sh
# --ping: the stack pings the host.
. "$SRC/tests/live/lib.sh"
for host in 10.0.0.1 fd00::1; do
    run_stack --ping $host --duration 2.3s
    [ $status -eq 0 ] || fail "exit status $status"
    expect "^56 bytes from $host: seq 3  ttl 64  time [0-9.]+ ms$" out
    expect "^--- $host: 3 sent  3 received   min " out
done
run_stack --ping 10.0.0.1 --duration 0.3s --json
expect '^\{"v":1,"ev":"ping","from":"10.0.0.1","bytes":56,"seq":1,"ttl":64,"rtt_ns":[0-9]+\}$' out
