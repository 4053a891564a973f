#!/bin/sh
# SIGUSR1 prints statistics and goes on, SIGINT and SIGTERM print them and end with 0; --duration ends by itself.
# Peers of connections that are still open get a reset instead of silence.
. "$SRC/tests/live/lib.sh"
start_stack
peer echo 10.0.0.2 7 1000 >log || fail "$(cat log)"
kill -USR1 $stack
sleep 0.3
[ "$(grep -c '^--- tun0 statistics: [0-9.]* s ---$' stack.out)" -eq 1 ] || fail "no statistics on SIGUSR1"
peer echo 10.0.0.2 7 1000 >log || fail "after SIGUSR1: $(cat log)"
stop_stack
[ "$(grep -c '^--- tun0 statistics: [0-9.]* s ---$' stack.out)" -eq 2 ] || fail "no statistics on SIGINT"
expect '^tcp    2 opened ' stack.out
expect '^rtt    min [0-9.]+  p50 [0-9.]+  p99 [0-9.]+  max [0-9.]+ ms$' stack.out

start_stack
kill -TERM $stack
wait $stack || fail "exit status $? on SIGTERM"
expect '^--- tun0 statistics' stack.out

run_stack --duration 0.5s
[ $status -eq 0 ] || fail "exit status $status after --duration"
expect '^--- tun0 statistics: 0\.[5-9] s ---$' out

start_stack --json
timeout 5 "$peer_binary" stall 10.0.0.2 7 >log &
held=$!
sleep 0.3
stop_stack
wait $held && fail "the peer noticed nothing"
expect 'Connection reset|Broken pipe' log
expect '^\{"v":1,"ev":"start","mode":"tun","interface":"tun0"' stack.out
expect '^\{"v":1,"ev":"end","ok":true,"duration_ns":[0-9]+\}$' stack.out
