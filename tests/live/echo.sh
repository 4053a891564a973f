#!/bin/sh
# 10 MB through the echo service and back, compared byte by byte while both directions run at once, IPv4 and
# IPv6, half-closed at the end; and a sender that does not read until nothing fits any more: the service must
# stop reading instead of buffering, and every byte must come back afterwards.
. "$SRC/tests/live/lib.sh"
start_stack
for host in 10.0.0.2 fd00::2; do
    peer echo $host 7 10000000 >log || fail "$host: $(cat log)"
    peer stall $host 7 >log || fail "$host: $(cat log)"
done
stop_stack
expect '^conn   10.0.0.2:7 < 10.0.0.1:[0-9]+   20.00 MB .*closed by peer$' stack.out
