#!/bin/sh
# The stack uploads to a server of the host that compares every byte: a pattern, a file on stdin, a pipe on stdin.
. "$SRC/tests/live/lib.sh"
ip tuntap add tun0 mode tun && ip addr add 10.0.0.1/24 dev tun0 && ip addr add fd00::1/64 dev tun0 nodad &&
    ip link set tun0 up || fail "no device"
serve sink 3001
peer pattern 3000000 >want
for host in 10.0.0.1 '[fd00::1]'; do
    run_stack --connect "$host:3001" --send 5000000
    [ $status -eq 0 ] || fail "exit status $status"
    expect 'sent 5,000,000 B' err
    timeout 10 "$NETSTACK" --tun tun0 --connect "$host:3001" -q <want 2>err || fail "from a file"
    # shellcheck disable=SC2002  # a pipe is the point
    cat want | timeout 10 "$NETSTACK" --tun tun0 --connect "$host:3001" -q 2>err || fail "from a pipe"
    check_stderr err
done
[ "$(grep -c '^sink 5000000 ok$' peer.out)" -eq 2 ] || fail "the pattern: $(cat peer.out)"
[ "$(grep -c '^sink 3000000 ok$' peer.out)" -eq 4 ] || fail "stdin: $(cat peer.out)"
