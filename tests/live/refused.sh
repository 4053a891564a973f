#!/bin/sh
# Ports where nobody listens, both ways, IPv4 and IPv6; a host that is not there; no route at all.
. "$SRC/tests/live/lib.sh"
ip tuntap add tun0 mode tun && ip addr add 10.0.0.1/24 dev tun0 && ip addr add fd00::1/64 dev tun0 nodad &&
    ip link set tun0 up || fail "no device"
for host in 10.0.0.1 '[fd00::1]'; do
    run_stack --connect "$host:3999" -q
    [ $status -eq 1 ] || fail "exit status $status"
    expect "^netstack: .*:3999: Connection refused$" err
done
run_stack --connect 10.0.0.1:3999 --json
expect '"ev":"client","mode":"connect".*"errno":111,"ok":false' err
run_stack --connect 10.0.0.77:3999 --duration 0.5s -q
[ $status -eq 1 ] || fail "exit status $status when nobody answers"
expect '^netstack: 10.0.0.77:3999: stopped before there was a connection$' err
run_stack --ping 10.0.0.77 --duration 0.5s
[ $status -eq 1 ] || fail "exit status $status"
expect '^netstack: --ping 10.0.0.77: no answer to 1 requests$' err
start_stack
for host in 10.0.0.2 fd00::2; do
    peer refused $host 4000 >log || fail "$host: $(cat log)"
done
stop_stack
expect '^drops .*tcp_no_conn 2' stack.out
