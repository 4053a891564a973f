#!/bin/sh
# AccECN (RFC 9768) with the kernel, where it speaks it (tcp_ecn=3): both ways of asking, through a path that marks some of what is ECT.
. "$SRC/tests/live/lib.sh"
command -v nft >/dev/null || skip "nft (package nftables) is not installed"
echo 3 2>/dev/null >/proc/sys/net/ipv4/tcp_ecn || skip "this kernel does not speak AccECN (net.ipv4.tcp_ecn=3 is refused)"
nft -f - <<RULES || skip "nft cannot set the ECN field"
table ip congested {
    chain in { type filter hook prerouting priority 0; iifname tun0 ip ecn ect0 numgen inc mod 10 0 ip ecn set ce; }
    chain out { type filter hook postrouting priority 0; oifname tun0 ip ecn ect0 numgen inc mod 3 0 ip ecn set ce; }
}
RULES
for option in 0 1 2; do
    start_stack --set tcp.ecn=3 --set tcp.ecn_option=$option -vv
    peer echo 10.0.0.2 7 2000000 >log || fail "tcp.ecn_option=$option: $(cat log)"
    stop_stack
    expect 'in   IP [0-9.]+ > 10\.0\.0\.2\.7: SEWe [0-9]' stack.out
    expect 'out  IP 10\.0\.0\.2\.7 > [0-9.]+: SW\. [0-9]' stack.out # 010: the SYN came as Not-ECT
    expect 'in   IP [0-9.]+ > 10\.0\.0\.2\.7: W\. [0-9]' stack.out  # so did the SYN-ACK
    expect 'in   IP [0-9.]+ > 10\.0\.0\.2\.7: P?(EW|E?We|E|e)\. [0-9]' stack.out  # not 101: the counter of marks moves, there
    expect 'out  IP 10\.0\.0\.2\.7 > [0-9.]+: P?(EW|E?We|E|e)\. [0-9]' stack.out # and here
done
ip tuntap add tun0 mode tun 2>/dev/null
ip addr replace 10.0.0.1/24 dev tun0 && ip link set tun0 up || fail "no device"
serve sink 3001
run_stack --connect 10.0.0.1:3001 --send 2000000 --set tcp.ecn=3 -vv
[ $status -eq 0 ] || fail "exit status $status"
expect 'out  IP [0-9.]+ > 10\.0\.0\.1\.3001: SEWe [0-9]' err
expect 'in   IP 10\.0\.0\.1\.3001 > [0-9.]+: SW\. [0-9]' err
expect 'out  IP [0-9.]+ > 10\.0\.0\.1\.3001: W\. [0-9]' err
expect '^sink 2000000 ok$' peer.out
