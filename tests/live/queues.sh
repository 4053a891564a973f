#!/bin/sh
# Two queues, a thread and a stack each: connections spread over both, every byte arrives, statistics are those of all together, and both
# end. A device with one queue is refused in words.
. "$SRC/tests/live/lib.sh"
start_stack --queues 2
for host in 10.0.0.2 fd00::2; do
    peer echo $host 7 50000 40 >log || fail "$host: $(cat log)"
    expect '^echo 40 x 50000 ok$' log
done
[ "$(ls /proc/$stack/task | wc -l)" -ge 2 ] || fail "threads: $(ls /proc/$stack/task)"
sleep 1
stop_stack
expect '^tcp    80 opened  80 closed  0 reset   4,000,000 B in  4,000,000 B out ' stack.out
[ "$(grep -c 'the last 10 of' stack.out)" -eq 2 ] || fail "both queues had connections"
start_stack --queues 2 --no-offload --json
peer echo 10.0.0.2 7 50000 40 >log || fail "$(cat log)"
stop_stack
expect '"ev":"stats","final":true.*"tcp_passive_opens":40,' stack.out

ip tuntap add tun1 mode tun || fail "no device"
timeout 10 "$NETSTACK" --tun tun1 --queues 2 >out 2>err && fail "one queue is enough?"
expect 'tun1 has one queue; --queues needs: sudo ip tuntap add tun[0-9]+ mode tun multi_queue' err
ip tuntap del tun1 mode tun
ip tuntap add tun1 mode tun multi_queue || fail "no device"
timeout 10 "$NETSTACK" --tun tun1 >out 2>err && fail "a device with several queues"
expect 'tun1 is a multi-queue device; add --queues N' err
timeout 10 "$NETSTACK" --tun tun1 --queues 2 --addr 10.9.0.2/24 --addr fd09::2/64 --duration 0.3s >out 2>err ||
    fail "several queues: $(cat err)"
