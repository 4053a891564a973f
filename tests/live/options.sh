#!/bin/sh
# What the remaining options do to a live stack: --filter, --app, --addr, --peer, --seed, --mem, --set, -q, -v,
# -vv, and files and descriptors that cannot be used.
. "$SRC/tests/live/lib.sh"
start_stack -f 'tcp port 7' --seed 0x5eed -q
peer echo 10.0.0.2 7 1000 >log || fail "what passes the filter: $(cat log)"
timeout 5 "$peer_binary" udprefused 10.0.0.2 4000 >log &
blocked=$!
sleep 0.3
kill -0 $blocked 2>/dev/null || fail "what does not pass the filter was answered: $(cat log)"
kill $blocked
stop_stack
[ ! -s stack.out ] || fail "-q still says: $(cat stack.out)"

start_stack --app http:8080 --app echo:77 --addr 10.5.0.9/16 --addr fd05::9/64 --peer 10.5.0.1 --seed 0x5eed -vv
expect '^netstack [0-9.]+  tun0 up   stack 10\.5\.0\.9  fd05::9   host 10\.5\.0\.1  fd05::1   mtu 1500 ' stack.out
expect '   mtu 1500   offload [a-z0-9,]+   cubic   seed 0x5eed$' stack.out
expect '^apps   echo 77/tcp,udp   http 8080   udp echo 8000$' stack.out
expect '^try    ping 10\.5\.0\.9        curl http://10\.5\.0\.9:8080/        nc 10\.5\.0\.9 77$' stack.out
peer echo 10.5.0.9 77 1000 >log || fail "$(cat log)"
peer echo fd05::9 77 1000 >log || fail "$(cat log)"
peer refused 10.5.0.9 9 >log || fail "discard runs although it was not asked for"
stop_stack
expect 'in   IP 10\.5\.0\.1\.[0-9]+ > 10\.5\.0\.9\.77: S [0-9]' stack.out
expect 'out  IP 10\.5\.0\.9\.77 > 10\.5\.0\.1\.[0-9]+: S\. [0-9]' stack.out
grep -q 'not captured' stack.out && fail "-vv cuts packets"
expect 'tcp_state +SYN_RCVD -> ESTABLISHED' stack.out
expect 'drop .*tcp_no_conn' stack.out

start_stack --mem 4M --set tcp.initcwnd=2 --set icmp.echo=0
peer echo 10.0.0.2 7 200000 20 >log || fail "with 4 MB: $(cat log)"
timeout 5 ping -n -c 1 -W 1 10.0.0.2 >log && fail "answers echo requests although switched off"
stop_stack

run_stack -w /no/such/folder/x.pcap --duration 1
[ $status -eq 3 ] || fail "exit status $status for a file that cannot be made"
expect '^netstack: /no/such/folder/x.pcap: No such file or directory$' err
run_stack --ready-fd 77 --duration 1
[ $status -eq 3 ] || fail "exit status $status for a descriptor that is not open"
expect '^netstack: --ready-fd 77: Bad file descriptor$' err
run_stack -w /dev/full --duration 1
[ $status -eq 3 ] || fail "exit status $status for a full disk"
expect '^netstack: /dev/full: No space left on device$' err
