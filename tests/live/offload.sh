#!/bin/sh
# The same transfers with the device's offloads and without: every byte both ways, IPv4 and IPv6, TCP and UDP; what is on is said;
# an attached device gives its offloads back, so that the next holder gets plain packets.
. "$SRC/tests/live/lib.sh"
transfers() {
    for host in 10.0.0.2 fd00::2; do
        peer echo $host 7 3000000 4 >log || fail "$host: $(cat log)"
        expect '^echo 4 x 3000000 ok$' log
    done
}
start_stack --uring
expect 'offload csum,tso4,tso6' stack.out
transfers
stop_stack
expect '0 bad checksum' stack.out
start_stack --uring --no-offload
expect 'offload none' stack.out
transfers
stop_stack
expect '0 bad checksum' stack.out

start_stack --no-uring --no-offload
transfers
stop_stack
expect '0 bad checksum' stack.out

start_stack --no-uring --busy-poll 0
transfers
stop_stack
expect '0 bad checksum' stack.out

ip tuntap add tun0 mode tun && ip addr add 10.0.0.1/24 dev tun0 && ip addr add fd00::1/64 dev tun0 nodad &&
    ip link set tun0 up || fail "no device"
start_stack
transfers
kill -KILL "$stack" # it cannot tidy up
wait "$stack"
start_stack --no-offload
transfers
stop_stack
expect '0 bad checksum' stack.out
