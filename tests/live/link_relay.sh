#!/bin/sh
# netstack link: two kernels in namespaces of their own, each behind a TUN, and the relay as the path between them. Delay, exact losses,
# a rate and a black hole are seen by the kernels; a transfer through all of it keeps its bytes.
. "$SRC/tests/live/lib.sh"
command -v ping >/dev/null || skip "needs ping"
relay=
start_link() { # start_link SPEC [BACK]
    ip netns add left && ip netns add right || skip "no named namespaces here"
    rm -f ready
    mkfifo ready
    "$NETSTACK" link tunA tunB "$@" --seed 5 --ready-fd 9 9>ready >link.out 2>link.err </dev/null &
    relay=$!
    [ "$(timeout 10 head -n 1 ready)" = ready ] || fail "the relay did not get ready: $(cat link.err)"
    for side in left:tunA:1 right:tunB:2; do
        ns=${side%%:*} n=${side##*:} dev=${side#*:}
        dev=${dev%:*}
        ip link set "$dev" netns "$ns" && ip -n "$ns" link set lo up && ip -n "$ns" addr add "10.0.0.$n/24" dev "$dev" &&
            ip -n "$ns" addr add "fd00::$n/64" dev "$dev" nodad && ip -n "$ns" link set "$dev" up || fail "no $dev in $ns"
        ip netns exec "$ns" sysctl -q -w net.ipv6.conf."$dev".router_solicitations=0
    done
}
stop_link() {
    kill -INT $relay
    wait $relay
    status=$?
    check_stderr link.err
    [ $status -eq 0 ] || fail "exit status $status: $(cat link.err)"
    ip netns del left
    ip netns del right
}
pings() { ip netns exec left timeout 10 ping -n -i 0.05 -W 2 -q "$@" >log; }

start_link delay=20ms delay=5ms
pings -c 10 10.0.0.2 || fail "no answer: $(cat log)"
expect '10 received, 0% packet loss' log
min=$(sed -n 's/^rtt [^=]*= \([0-9]*\)\..*/\1/p' log)
[ "$min" -ge 25 ] && [ "$min" -le 27 ] || fail "$(tail -n 1 log), and 25 ms are right"
pings -c 3 fd00::2 || fail "no answer over IPv6: $(cat log)"
stop_link
expect '^tunA > tunB +[0-9,]+ in +[0-9,]+ out ' link.out

# Exactly these packets: numbers 3, 5, 6 of everything that tunA sends; one ping of the first ten is each of it.
start_link lose=3+5-6 10us
pings -c 10 10.0.0.2
stop_link
expect '^tunA > tunB .*   mask dropped 3$' link.out

# 1 MB at 8 Mbit/s takes a second; loss, reordering and duplicates do not change a byte.
start_link 8mbit,5ms,loss=0.5%,reorder=1%:3ms,dup=1%
ip netns exec right timeout 14 "$peer_binary" source 3000 1000000 >peer.out 2>&1 &
until grep -q '^listening' peer.out; do sleep 0.05; done
begin=$(date +%s%N)
ip netns exec left timeout 14 "$peer_binary" fetch 10.0.0.2 3000 >log || fail "$(cat log)"
ms=$((($(date +%s%N) - begin) / 1000000))
expect '^fetched 1000000$' log
[ $ms -ge 1000 ] || fail "1 MB at 8 Mbit/s in $ms ms"
kill $!
stop_link

# A black hole swallows full packets and lets small ones pass.
start_link mtu=1000
pings -c 3 -s 100 10.0.0.2 || fail "small packets do not pass: $(cat log)"
pings -c 2 -W 1 -s 1400 10.0.0.2 && fail "large packets pass"
stop_link
expect 'mtu dropped 2' link.out

"$NETSTACK" link tunA tunB 10ms --duration 200ms -q >out 2>err || fail "--duration: $(cat err)"
