#!/bin/sh
# 20 datagrams of 1,300 bytes to port 8000 come back unchanged, by IPv4 and IPv6; port 7 likewise; datagrams larger
# than the MTU come back in fragments; a port without a service is refused.
. "$SRC/tests/live/lib.sh"
start_stack
for host in 10.0.0.2 fd00::2; do
    peer udp $host 8000 20 1300 >log || fail "$host: $(cat log)"
    peer udp $host 7 20 1300 >log || fail "$host port 7: $(cat log)"
    peer udp $host 8000 5 9000 >log || fail "$host fragments: $(cat log)"
    peer udprefused $host 8001 >log || fail "$host port 8001: $(cat log)"
done
stop_stack
expect '^udp    90 in  90 out$' stack.out
