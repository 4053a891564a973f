#!/bin/sh
# The stack connects to a server of the host and downloads, by IPv4 and IPv6: N bytes, and to the end.
. "$SRC/tests/live/lib.sh"
ip tuntap add tun0 mode tun && ip addr add 10.0.0.1/24 dev tun0 && ip addr add fd00::1/64 dev tun0 nodad &&
    ip link set tun0 up || fail "no device"
serve source 3000 5000000
peer pattern 5000000 >want
for host in 10.0.0.1 '[fd00::1]'; do
    run_stack --connect "$host:3000" --recv 5000000
    [ $status -eq 0 ] || fail "exit status $status"
    cmp want out || fail "$host: other bytes than were sent"
    expect 'received 5,000,000 B' err

    run_stack --connect "$host:3000" -q
    [ $status -eq 0 ] || fail "exit status $status"
    cmp want out || fail "$host to the end: other bytes than were sent"

    run_stack --connect "$host:3000" --recv 5000001 -q
    [ $status -eq 1 ] || fail "exit status $status when a byte is missing"
    expect "^netstack: .*:3000: closed after 5000000 of 5000001 bytes$" err
done
# stdout as a pipe, and closed by its reader in the middle
timeout 10 "$NETSTACK" --tun tun0 --connect 10.0.0.1:3000 --recv 5000000 -q </dev/null 2>err | cmp want - ||
    fail "other bytes through a pipe"
timeout 10 "$NETSTACK" --tun tun0 --connect 10.0.0.1:3000 -q </dev/null 2>err | head -c 1000 >got
check_stderr err
[ "$(wc -c <got)" -eq 1000 ] || fail "a reader that goes away"
# Without standard input there is nothing to mistake for it.
timeout 10 "$NETSTACK" --tun tun0 --connect 10.0.0.1:3000 --recv 5000000 -q <&- >out 2>err || fail "closed stdin: $(cat err)"
cmp want out || fail "other bytes without stdin"
