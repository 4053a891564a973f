#!/bin/sh
# RFC 3168's ECN with the kernel: who asks and who agrees as tcp.ecn says, and data through a path that marks every tenth
# superframe that is ECT towards the kernel, and every third towards us.
. "$SRC/tests/live/lib.sh"
command -v nft >/dev/null || skip "nft (package nftables) is not installed"
mark() {
    nft flush ruleset
    nft -f - <<RULES || skip "nft cannot set the ECN field"
table ip congested {
    chain in { type filter hook prerouting priority 0; iifname tun0 ip ecn ect0 numgen inc mod 10 0 ip ecn set ce; }
    chain out { type filter hook postrouting priority 0; oifname tun0 ip ecn ect0 numgen inc mod 3 0 ip ecn set ce; }
}
RULES
}
kernel() { echo "$1" >/proc/sys/net/ipv4/tcp_ecn || fail "the kernel takes no tcp_ecn=$1"; }
mark

# The kernel asks.
kernel 1
for case in 0:'S\.' 1:'SE\.' 2:'SE\.' 3:'SE\.'; do
    start_stack --set tcp.ecn="${case%%:*}" -vv
    peer echo 10.0.0.2 7 2000000 >log || fail "tcp.ecn=${case%%:*}: $(cat log)"
    stop_stack
    expect 'in   IP [0-9.]+ > 10\.0\.0\.2\.7: SEW [0-9]' stack.out
    expect "out  IP 10\.0\.0\.2\.7 > [0-9.]+: ${case#*:} [0-9]" stack.out
    [ "${case%%:*}" = 0 ] && continue
    expect 'out  IP 10\.0\.0\.2\.7 > [0-9.]+: P?E' stack.out  # the path marked data of the kernel's: we echo
    expect 'in   IP [0-9.]+ > 10\.0\.0\.2\.7: P?E?W' stack.out # and it reduces
    expect 'in   IP [0-9.]+ > 10\.0\.0\.2\.7: P?EW?\.' stack.out # it echoes marks of ours
    expect 'out  IP 10\.0\.0\.2\.7 > [0-9.]+: P?E?W' stack.out # and we reduce
done

# We ask: for ECN, for AccECN (the kernel agrees to what it can), for nothing.
kernel 2
start_stack
stop_stack
ip tuntap add tun0 mode tun 2>/dev/null
ip addr replace 10.0.0.1/24 dev tun0 && ip link set tun0 up || fail "no device"
serve sink 3001
for case in 1:'SEW' 3:'SEWe' 4:'SEW' 5:'S' 2:'S'; do
    run_stack --connect 10.0.0.1:3001 --send 2000000 --set tcp.ecn="${case%%:*}" -vv
    [ $status -eq 0 ] || fail "tcp.ecn=${case%%:*}: exit status $status"
    expect "out  IP [0-9.]+ > 10\.0\.0\.1\.3001: ${case#*:} [0-9]" err
    if [ "${case#*:}" = S ]; then
        expect 'in   IP 10\.0\.0\.1\.3001 > [0-9.]+: S\. [0-9]' err
    else
        expect 'in   IP 10\.0\.0\.1\.3001 > [0-9.]+: SE\. [0-9]' err
        expect 'out  IP [0-9.]+ > 10\.0\.0\.1\.3001: P?W' err
    fi
done
[ "$(grep -c '^sink 2000000 ok$' peer.out)" -eq 5 ] || fail "bytes: $(cat peer.out)"
