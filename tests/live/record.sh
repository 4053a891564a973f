#!/bin/sh
# -w writes both directions in either format, readable by libpcap and tshark, with the reason of every packet
# sent in its comment; "-" can be read while it is written.
. "$SRC/tests/live/lib.sh"
command -v tcpdump >/dev/null || skip "needs tcpdump to read captures back"
for file in r.pcapng r.pcap; do
    start_stack -w $file
    peer echo 10.0.0.2 7 100000 >log || fail "$(cat log)"
    peer udp fd00::2 8000 3 100 >log || fail "$(cat log)"
    stop_stack
    tcpdump -nr $file 'tcp port 7' >dump 2>log || fail "$file: $(cat log)"
    expect ' IP 10\.0\.0\.1\.[0-9]+ > 10\.0\.0\.2\.7: Flags \[S\]' dump
    expect ' IP 10\.0\.0\.2\.7 > 10\.0\.0\.1\.[0-9]+: Flags \[S\.\]' dump
    [ "$(tcpdump -nvr $file tcp 2>/dev/null | grep -c incorrect)" -eq 0 ] || fail "$file: wrong checksums"
    [ "$(tcpdump -nr $file 'udp port 8000' 2>/dev/null | wc -l)" -eq 6 ] || fail "$file: not six datagrams"
done
# While it runs: the reader sees a packet long before the end.
mkfifo stream
timeout 10 tcpdump -nr stream -c 2 icmp >dump 2>/dev/null &
reader=$!
"$NETSTACK" --tun tun0 --ping 10.0.0.1 --duration 2s -w - >stream 2>err &
stack=$!
wait $reader || fail "nothing came through the pipe: $(cat err)"
wait $stack || fail "a reader that goes away must not end the stack with an error: $(cat err)"
check_stderr err
expect '> 10.0.0.1: ICMP echo request' dump
expect 'r.*Broken pipe; recording stopped|-: Broken pipe; recording stopped' err
expect '^--- tun0 statistics' err       # all text went to stderr

command -v tshark >/dev/null || { echo "without tshark: comments not checked"; exit 0; }
tshark -r r.pcapng -Y 'tcp.srcport == 7' -T fields -e tcp.flags.str -e frame.comment >dump 2>/dev/null
expect 'A..S.*conn [0-9]+ SYN_RCVD cwnd [0-9]+ .*rto [0-9]+ us' dump
[ -z "$(tshark -r r.pcapng -Y 'tcp.dstport == 7 && frame.comment' 2>/dev/null)" ] || fail "comment on a packet received"
capinfos r.pcapng >dump 2>&1 && expect 'Capture comment: .*seed 0x[0-9a-f]+ command: .*--tun tun0' dump
