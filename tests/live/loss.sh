#!/bin/sh
# The kernel as peer behind random loss, each way, byte-exact: the echo service carries the same bytes up and down, so the stack is
# sender and receiver at once. nftables drops 0.1, 1 and 5 percent of the packets of either direction.
. "$SRC/tests/live/lib.sh"
command -v nft >/dev/null || skip "nft (package nftables) is not installed"
lose() { # lose PER-MILLE
    nft flush ruleset
    nft -f - <<RULES || fail "nft refuses the rules"
table inet loss {
    chain in { type filter hook input priority 0; iifname tun0 meta l4proto tcp numgen random mod 1000 < $1 drop; }
    chain out { type filter hook output priority 0; oifname tun0 meta l4proto tcp numgen random mod 1000 < $1 drop; }
}
RULES
}
# With superframes whole ones are lost, and few; packet by packet there is always something to retransmit.
for how in "reno" "cubic" "bbr" "reno --no-offload" "cubic --no-offload" "bbr --no-offload"; do
    # shellcheck disable=SC2086  # words
    start_stack --cc $how
    for case in 1:1000000 10:500000 50:100000; do
        lose "${case%:*}"
        peer echo 10.0.0.2 7 "${case#*:}" >log || fail "$how, ${case%:*} per mille: $(cat log)"
        peer echo fd00::2 7 "${case#*:}" >log || fail "$how, ${case%:*} per mille, IPv6: $(cat log)"
    done
    nft flush ruleset
    stop_stack
done
expect '[1-9][0-9]* retransmitted' stack.out
