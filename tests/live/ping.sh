#!/bin/sh
# The host pings the stack: IPv4, IPv6, link-local, and with payloads that need fragments.
. "$SRC/tests/live/lib.sh"
command -v ping >/dev/null || skip "needs ping"
start_stack
for host in 10.0.0.2 fd00::2 fe80::2%tun0; do
    timeout 5 ping -n -c 3 -i 0.2 -W 2 $host >log || fail "no answer from $host: $(cat log)"
    expect '3 received, 0% packet loss' log
    timeout 5 ping -n -c 2 -i 0.2 -W 2 -s 4000 $host >log || fail "no answer from $host to 4000 bytes: $(cat log)"
done
# An address of the network that is not the stack's stays silent.
timeout 5 ping -n -c 1 -W 1 10.0.0.77 >log && fail "10.0.0.77 answered"
stop_stack
expect '^icmp   15 echo answered$' stack.out
expect '^ip     [0-9]+ in  [0-9]+ out   0 bad checksum' stack.out
