#!/bin/sh
# 100 connections at once through the echo service, 50,000 bytes each; then all of them again by IPv6.
. "$SRC/tests/live/lib.sh"
start_stack
for host in 10.0.0.2 fd00::2; do
    peer echo $host 7 50000 100 >log || fail "$host: $(cat log)"
    expect '^echo 100 x 50000 ok$' log
done
sleep 1 # the last acknowledgements may still be on their way, one of them retransmitted
stop_stack
expect '^tcp    200 opened  200 closed  0 reset   10,000,000 B in  10,000,000 B out ' stack.out
expect 'the last 10 of 200 connections' stack.out
