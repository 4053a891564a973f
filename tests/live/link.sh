#!/bin/sh
# The link goes down and up again, the MTU changes, the device is deleted: connections survive the first two, and
# the last ends with a message and exit status 3. The loop sleeps while the link is down.
. "$SRC/tests/live/lib.sh"

ticks() { # processor time of the stack so far, in 1/100 s
    awk '{ print $14 + $15 }' "/proc/$stack/stat"
}

start_stack
serve_pid=
timeout 14 "$peer_binary" echo 10.0.0.2 7 40000000 >log &
serve_pid=$!
sleep 0.1
ip link set tun0 down || fail "cannot take the link down"
before=$(ticks)
sleep 1
after=$(ticks)
[ $((after - before)) -lt 20 ] || fail "$((after - before)) ticks of processor time in a second without a link"
ip link set tun0 up
wait $serve_pid || fail "the connection did not survive: $(cat log)"
expect '^tun0: link down, mtu 1500$' stack.out
expect '^tun0: link up, mtu 1500$' stack.out
peer udp fd00::2 8000 3 100 >log || fail "IPv6 is not back: $(cat log)"

ip link set tun0 mtu 1300
peer echo 10.0.0.2 7 1000000 >log || fail "after the change of MTU: $(cat log)"
expect '^tun0: link up, mtu 1300$' stack.out
ip link set tun0 mtu 1000 # too small for IPv6
peer echo 10.0.0.2 7 100000 >log || fail "mtu 1000: $(cat log)"
ip link set tun0 mtu 1500
sleep 0.2
peer echo fd00::2 7 1000 >log || fail "IPv6 after mtu 1000: $(cat log)"
before=$(ticks)
sleep 1
after=$(ticks)
[ $((after - before)) -lt 10 ] || fail "$((after - before)) ticks of processor time in an idle second"

ip link del tun0
wait "$stack"
status=$?
check_stderr stack.err
[ $status -eq 3 ] || fail "exit status $status after the device was deleted"
expect '^netstack: tun0: the device was removed$' stack.err
