#!/bin/sh
# AccECN (RFC 9768) between two stacks of ours with the kernel as the router that marks: every third superframe that is ECT gets CE.
. "$SRC/tests/live/lib.sh"
command -v nft >/dev/null || skip "nft (package nftables) is not installed"
echo 1 >/proc/sys/net/ipv4/ip_forward || skip "no forwarding here"
nft -f - <<RULES || skip "nft cannot set the ECN field"
table ip congested {
    chain forward { type filter hook forward priority 0; ip ecn ect0 numgen inc mod 3 0 ip ecn set ce; }
}
RULES
ip tuntap add tun0 mode tun && ip addr add 10.0.0.1/24 dev tun0 && ip link set tun0 up || fail "no device"
ip tuntap add tun1 mode tun && ip addr add 10.1.0.1/24 dev tun1 && ip link set tun1 up || fail "no device"
mkfifo ready
"$NETSTACK" --tun tun1 --addr 10.1.0.2/24 --peer 10.1.0.1 --set tcp.ecn=3 --ready-fd 9 -q 9>ready >far.out 2>far.err </dev/null &
far=$!
[ "$(timeout 10 head -n 1 ready)" = ready ] || fail "the far stack did not get ready: $(cat far.err)"
for option in 0 1 2; do
    run_stack --connect 10.1.0.2:9 --send 5000000 --set tcp.ecn=3 --set tcp.ecn_option=$option -vv
    [ $status -eq 0 ] || fail "tcp.ecn_option=$option: exit status $status"
    expect 'out  IP [0-9.]+ > 10\.1\.0\.2\.9: SEWe [0-9]' err
    expect 'in   IP 10\.1\.0\.2\.9 > [0-9.]+: SW\. [0-9].*ECN e0b 1 ceb 0 e1b 1' err # 010: our SYN came as Not-ECT
    expect 'in   IP 10\.1\.0\.2\.9 > [0-9.]+: [EWe]*\. [0-9].* ace [0-7] .*ECN e0b [0-9]+ ceb [1-9]' err # marks are counted
done
kill -INT $far && wait $far || fail "the far stack: $(cat far.err)"
check_stderr far.err
