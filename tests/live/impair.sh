#!/bin/sh
# --impair: the stack behind a bad link of its own. The kernel sees the delay, the rate and the losses, and the bytes stay the same.
. "$SRC/tests/live/lib.sh"
command -v ping >/dev/null || skip "needs ping"
start_stack --impair delay=10ms --impair delay=30ms --seed 3
timeout 10 ping -n -c 10 -i 0.05 -q 10.0.0.2 >log || fail "no answer: $(cat log)"
min=$(sed -n 's/^rtt [^=]*= \([0-9]*\)\..*/\1/p' log)
[ "$min" -ge 40 ] && [ "$min" -le 42 ] || fail "$(tail -n 1 log), and 40 ms are right"
stop_stack
expect '^out +10 in  10 out  ' stack.out

start_stack --impair 20mbit,2ms,loss=1%,reorder=1%:1ms,dup=1%,corrupt=0.2% --seed 3
peer echo 10.0.0.2 7 300000 >log || fail "$(cat log)"
peer echo fd00::2 7 300000 >log || fail "IPv6: $(cat log)"
stop_stack
expect '   loss dropped [1-9]' stack.out
expect '   corrupt changed [1-9]' stack.out
expect '[1-9][0-9]* retransmitted' stack.out

start_stack --impair lose=1-100 -q --json
timeout 5 ping -n -c 2 -W 1 -i 0.2 10.0.0.2 >log && fail "answers through a cut link"
stop_stack
expect '"ev":"link","direction":"in".*"mask_dropped":[1-9]' stack.out
