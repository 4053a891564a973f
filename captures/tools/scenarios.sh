# The scenarios of captures/record: one function each, sourced by it.
#
# Each sets up a network (tun or veth), starts the capture, and runs an application on the stack side (listen,
# udp_echo) and one on the peer (dial4, dial6, client). `link`, `made` and `shows` are columns of README.md.

SCENARIOS='
tcp_connect http_server_close tcp_simultaneous_open tcp_simultaneous_close tcp_half_close
reset_by_peer reset_unread_data refused_port
bulk_upload_loss bulk_download_loss fast_retransmit single_loss_upload rto_tail_loss rto_backoff syn_ack_lost
zero_window_peer zero_window_stack large_window
reorder_upload reorder_download reorder_both no_timestamps_no_sack no_options
tcp_ipv6 keepalive urgent client_download
udp_echo udp_unreachable ping neighbor fragments_ipv4 fragments_ipv6 mixed_flows
'

on_side() { side=$1; shift; ip netns exec "$side" sysctl -qw "$@"; }

crlf() { sed 's/$/\r/'; }

# http_files BODY_BYTES ADDR:PORT: a request of 78 bytes (for 10.0.0.2:8080) and a response
http_files() {
    crlf >"$tmp/request" <<EOT
GET / HTTP/1.1
Host: $2
User-Agent: recorder/1.0
Accept: */*

EOT
    {
        crlf <<EOT
HTTP/1.1 200 OK
Server: recorder/1.0
Content-Type: text/plain
Content-Length: $1
Connection: close

EOT
        "$tmp/traffic" pattern s "$1"
    } >"$tmp/response"
    request_bytes=$(wc -c <"$tmp/request")
}

scenario_tcp_connect() {
    link='Raw IP'
    made='HTTP request and response, delay 2 ms each way; the client closes first'
    shows='open, 78 B in, 808 B out, passive close: LAST_ACK → CLOSED'
    http_files 701 10.0.0.2:8080
    tun a.delay=2 b.delay=2
    capture
    listen 10.0.0.2 8080 recv=$request_bytes sleep=340 text="$tmp/response" eof sleep=60 close
    # Without quick ACKs the client's FIN carries its ACK of the response.
    dial4 51512 8080 text="$tmp/request" opt=quickack:0 recv=808 close
}

scenario_http_server_close() {
    link='Ethernet'
    made='HTTP response of 20 kB; the server closes first'
    shows='active close: FIN_WAIT_1 → FIN_WAIT_2 → TIME_WAIT'
    http_files 20000 10.0.0.2:80
    tap a.delay=2 b.delay=2
    capture
    listen 10.0.0.2 80 recv=$request_bytes text="$tmp/response" close
    dial4 51513 80 text="$tmp/request" eof sleep=50 close
}

scenario_tcp_simultaneous_open() {
    link='Raw IP'
    made='both sides connect at the same time, 40 ms delay each way: the SYNs cross'
    shows='(`--as 10.0.0.2`) SYN_SENT → SYN_RCVD → ESTABLISHED, 160 B in, 320 B out'
    tun a.delay=40 b.delay=40
    capture
    end=1
    stack_client connect 10.0.0.2 7002 10.0.0.1 7001 recv=160 send=320 eof close
    client connect 10.0.0.1 7001 10.0.0.2 7002 send=160 recv=320 close
}

scenario_tcp_simultaneous_close() {
    link='Raw IP'
    made='20 ms delay each way; both applications close while the other FIN is on the way'
    shows='both FINs cross: FIN_WAIT_1 → CLOSING → TIME_WAIT'
    tun a.delay=20 b.delay=20
    capture
    listen 10.0.0.2 7003 recv=32 send=32 sleep=20 close
    dial4 51514 7003 send=32 recv=32 close
}

scenario_tcp_half_close() {
    link='Raw IP, pcapng'
    repack=pcapng:pcapng
    made='the client sends 2,000 B and shuts down its side; the server goes on sending'
    shows='8,000 B sent in CLOSE_WAIT, then LAST_ACK → CLOSED'
    tun a.delay=2 b.delay=2
    capture
    listen 10.0.0.2 7004 eof send=5000 sleep=60 send=3000 close
    dial4 51515 7004 send=2000 shut eof close
}

scenario_reset_by_peer() {
    link='Raw IP, ns'
    made='the client aborts (SO_LINGER 0) after an exchange; nanosecond time stamps'
    shows='500 B in, then RST accepted: ESTABLISHED → CLOSED'
    tun a.delay=2 b.delay=2
    capture --time-stamp-precision=nano
    listen 10.0.0.2 7005 recv=500 send=200 reset
    dial4 51516 7005 send=500 recv=200 sleep=60 abort
}

scenario_reset_unread_data() {
    link='Ethernet'
    made='the server closes while 1,000 B are unread (its application had only looked at them)'
    shows='the played side sends RST (RFC 2525 §2.17): ESTABLISHED → CLOSED'
    veth
    capture
    listen 10.0.0.2 7006 peek=1000 sleep=60 close
    dial4 51517 7006 send=1000 reset
}

scenario_refused_port() {
    link='Ethernet'
    made='connect() to a port nobody listens on, IPv4 and IPv6'
    shows='each SYN is answered with RST; no connection'
    veth
    capture
    alone refused 10.0.0.1 51518 10.0.0.2 81
    join
    alone refused fd00::1 51518 fd00::2 81
}

scenario_bulk_upload_loss() {
    link='Raw IP'
    made='1,000,000 B to the stack side, 5 ms each way, 1 % of the packets of the peer lost (`numgen random`)'
    shows='holes, SACKs and duplicate ACKs out; 1,000,000 B in, byte-exact'
    tun a.delay=5 b.delay=5
    lose_from_peer 'tcp dport 5001 numgen random mod 100 == 0'
    capture
    listen 10.0.0.2 5001 eof close
    dial4 51519 5001 send=1000000 close
}

scenario_bulk_download_loss() {
    link='Raw IP'
    made='1,000,000 B from the stack side, 5 ms each way, 1 % of its packets lost after capture'
    shows='SACK recovery by the played side; 1,000,000 B out'
    tun a.delay=5 b.delay=5
    lose_from_stack 'tcp sport 5002 numgen random mod 100 == 0'
    capture
    listen 10.0.0.2 5002 recv=16 send=1000000 eof close
    dial4 51520 5002 send=16 recv=1000000 close
}

scenario_fast_retransmit() {
    link='Raw IP'
    made='40,000 B from the stack side, 10 ms each way; exactly the 4th full segment is lost'
    shows='one fast retransmission by the played side after three duplicate ACKs, no RTO'
    tun a.delay=10 b.delay=10
    lose_from_stack 'tcp sport 5003 meta length > 1000 numgen inc mod 100000 == 3'
    capture
    listen 10.0.0.2 5003 recv=16 send=40000 eof close
    dial4 51521 5003 send=16 recv=40000 close
}

scenario_single_loss_upload() {
    link='Raw IP'
    made='40,000 B to the stack side, 10 ms each way; exactly the 4th full segment of the peer is lost'
    shows='a duplicate ACK with SACK for each segment above the hole, one ACK when it is filled'
    tun a.delay=10 b.delay=10
    lose_from_peer 'tcp dport 5004 meta length > 1000 numgen inc mod 100000 == 3'
    capture
    listen 10.0.0.2 5004 recv=40000 send=16 eof close
    dial4 51522 5004 send=40000 recv=16 close
}

scenario_rto_tail_loss() {
    link='Raw IP'
    made='3,000 B from the stack side; the last segment (104 B) is lost once; no tail loss probe'
    shows='the played side retransmits it when its RTO fires'
    tun a.delay=5 b.delay=5
    lose_from_stack 'tcp sport 5005 meta length 156 numgen inc mod 100000 == 0'
    capture
    listen 10.0.0.2 5005 recv=16 send=3000 eof close
    dial4 51523 5005 send=16 recv=3000 close
}

scenario_rto_backoff() {
    link='Raw IP'
    made='as rto_tail_loss, but the first two retransmissions are lost as well'
    shows='three retransmissions, each after twice the time of the one before'
    tun a.delay=5 b.delay=5
    lose_from_stack 'tcp sport 5006 meta length 156 numgen inc mod 100000 { 0, 1, 2 }'
    capture
    listen 10.0.0.2 5006 recv=16 send=3000 eof close
    dial4 51524 5006 send=16 recv=3000 close
}

scenario_syn_ack_lost() {
    link='Raw IP'
    made='the first SYN-ACK of the stack side is lost'
    shows='in SYN_RCVD the SYN-ACK is repeated: by its timer after 1 s, and for the repeated SYN'
    tun a.delay=5 b.delay=5
    lose_from_stack 'tcp flags & (syn | ack) == (syn | ack) numgen inc mod 100000 == 0'
    capture
    listen 10.0.0.2 5007 recv=160 send=160 eof close
    dial4 51525 5007 send=160 recv=160 close
}

scenario_zero_window_peer() {
    link='Raw IP'
    made='20,000 B from the stack side; the peer has a small buffer and reads nothing for 1.5 s'
    shows='zero window in; the played side probes with growing intervals, resumes when it opens'
    tun a.delay=5 b.delay=5
    capture
    listen 10.0.0.2 5008 recv=16 send=20000 eof close
    dial4 51526 5008 opt=rcvbuf:4096 send=16 sleep=1500 recv=20000 close
}

scenario_zero_window_stack() {
    link='Raw IP'
    made='20,000 B to the stack side, whose application has a small buffer and reads nothing for 1.5 s'
    shows='zero window out, probes in, each answered; 20,000 B in'
    tun a.delay=5 b.delay=5
    capture
    listen 10.0.0.2 5009 opt=rcvbuf:4096 sleep=1500 eof close
    dial4 51527 5009 send=20000 close
}

scenario_large_window() {
    link='Raw IP'
    made='200,000 B to the stack side, 30 ms each way; the peer starts with 150 segments in flight'
    shows='more than 64 KiB in flight: window scaling; the played side must offer at least 200,000 B'
    tun a.delay=30 b.delay=30
    ip -n "$peer" route replace 10.0.0.0/24 dev wire0 src 10.0.0.1 initcwnd 150
    capture
    listen 10.0.0.2 5010 opt=rcvbuf:2000000 recv=16 send=16 recv=200000 eof close
    dial4 51528 5010 opt=sndbuf:2000000 send=16 recv=16 send=200000 close
}

scenario_reorder_upload() {
    link='Raw IP'
    made='60,000 B to the stack side; every 5th full segment arrives 3 ms late'
    shows='out-of-order queue; SACKs out; 60,000 B in, byte-exact'
    tun a.delay=5 b.delay=5 a.late=5:2:3:1000
    capture
    listen 10.0.0.2 5011 recv=60000 send=16 eof close
    dial4 51529 5011 send=60000 recv=16 close
}

scenario_reorder_download() {
    link='Raw IP'
    made='60,000 B from the stack side; after capture every 7th full segment is 3 ms late'
    shows='SACKs in, retransmissions that prove needless (D-SACK); 60,000 B out'
    tun a.delay=5 b.delay=5 b.late=7:2:3:1000
    capture
    listen 10.0.0.2 5012 recv=16 send=60000 eof close
    dial4 51530 5012 send=16 recv=60000 close
}

scenario_reorder_both() {
    link='Raw IP'
    made='both sides send 40,000 B at once; every 5th (peer) and 7th (stack) large segment is 3 ms late'
    shows='data on out-of-order ACKs both ways; 40,000 B in and out'
    tun a.delay=5 b.delay=5 a.late=5:2:3:900 b.late=7:3:3:900
    capture
    listen 10.0.0.2 5013 opt=nodelay:1 both=40000:40000 eof close
    dial4 51531 5013 opt=nodelay:1 both=40000:40000 close
}

scenario_no_timestamps_no_sack() {
    link='Raw IP'
    made='peer without timestamps and SACK; 40,000 B from the stack side, the 4th full segment lost'
    shows='fast retransmit on plain duplicate ACKs (NewReno), segments of 1,460 B'
    tun a.delay=10 b.delay=10
    on_side "$peer" net.ipv4.tcp_timestamps=0 net.ipv4.tcp_sack=0
    lose_from_stack 'tcp sport 5014 meta length > 1000 numgen inc mod 100000 == 3'
    capture
    listen 10.0.0.2 5014 recv=16 send=40000 eof close
    dial4 51532 5014 send=16 recv=40000 close
}

scenario_no_options() {
    link='Raw IP, big-endian'
    repack=big-endian:pcap
    made='peer with MSS as its only option; 40,000 B to the stack side, 4th full segment lost; 20,000 B back'
    shows='no window scale: windows of at most 65,535; plain duplicate ACKs out'
    tun a.delay=10 b.delay=10
    on_side "$peer" net.ipv4.tcp_timestamps=0 net.ipv4.tcp_sack=0 net.ipv4.tcp_window_scaling=0
    lose_from_peer 'tcp dport 5015 meta length > 1000 numgen inc mod 100000 == 3'
    capture
    listen 10.0.0.2 5015 recv=40000 send=20000 eof close
    dial4 51533 5015 send=40000 recv=20000 close
}

scenario_tcp_ipv6() {
    link='Raw IP'
    made='the exchange of tcp_connect over IPv6, with a response of 6 kB'
    shows='passive open and close over IPv6: CLOSED'
    http_files 6000 '[fd00::2]:8080'
    tun a.delay=2 b.delay=2
    capture
    listen fd00::2 8080 recv=$request_bytes text="$tmp/response" eof sleep=60 close
    dial6 51534 8080 text="$tmp/request" recv="$(wc -c <"$tmp/response")" close
}

scenario_keepalive() {
    link='Raw IP'
    made='4.5 s idle between two exchanges; the peer probes (SO_KEEPALIVE, 1 s)'
    shows='each keepalive probe (SEG.SEQ = RCV.NXT−1) is answered with an ACK'
    tun a.delay=2 b.delay=2
    capture
    listen 10.0.0.2 5016 recv=100 send=100 recv=100 send=100 eof close
    dial4 51535 5016 opt=keepalive:1 opt=keepidle:1 opt=keepintvl:1 \
        send=100 recv=100 sleep=4500 send=100 recv=100 close
}

scenario_urgent() {
    link='Raw IP'
    made='MSG_OOB in both directions between ordinary data (SO_OOBINLINE)'
    shows='urgent bytes stay in line: 1,601 B in, 510 B out'
    tun a.delay=2 b.delay=2
    capture
    listen 10.0.0.2 5017 opt=oobinline:1 recv=1001 send=500 oob=10 eof close
    dial4 51536 5017 opt=oobinline:1 send=1000 oob=1 recv=510 oob=100 sleep=20 send=500 close
}

scenario_client_download() {
    link='Raw IP'
    made='the stack side connects to port 3000 of the peer, downloads 100,000 B; the 20th full segment is lost'
    shows='(`--as 10.0.0.2`) active open: SYN_SENT → ESTABLISHED; 100,000 B in; passive close'
    tun a.delay=5 b.delay=5
    lose_from_peer 'tcp sport 3000 meta length > 1000 numgen inc mod 100000 == 19'
    capture
    peer_listen 10.0.0.1 3000 recv=16 send=100000 close
    stack_client connect 10.0.0.2 51537 10.0.0.1 3000 send=16 eof sleep=60 close
}

scenario_udp_echo() {
    link='LINUX_SLL2'
    made='5 datagrams to port 8000 and back, IPv4 and IPv6; `tcpdump -i any`'
    shows='each datagram is echoed'
    device=any
    veth
    capture
    udp_echo 10.0.0.2 8000 5
    client udp-send 10.0.0.1 51538 10.0.0.2 8000 10 1 100 512 1300 1472
    join
    udp_echo fd00::2 8000 5
    client udp-send fd00::1 51538 fd00::2 8000 10 1 100 512 1300 1452
}

scenario_udp_unreachable() {
    link='Raw IP'
    made='datagrams to a port nobody uses, IPv4 and IPv6'
    shows='ICMP port unreachable (type 3 code 3; ICMPv6 type 1 code 4) quoting the datagram'
    tun a.delay=1 b.delay=1
    capture
    alone udp-refused 10.0.0.1 51539 10.0.0.2 8001 10 100
    join
    alone udp-refused fd00::1 51539 fd00::2 8001 10 100
}

scenario_ping() {
    link='Ethernet'
    made='3 echo requests of 56 B and one of 1,400 B, IPv4 and IPv6'
    shows='8 echo replies'
    veth
    capture
    for to in '10.0.0.1 10.0.0.2' 'fd00::1 fd00::2'; do
        alone ping $to 3 56 50
        join
        alone ping $to 1 1400 10
        join
    done
}

scenario_neighbor() {
    link='Ethernet'
    made='one ping each over IPv4 and IPv6 between hosts that do not know their MAC addresses'
    shows='ARP reply and neighbour advertisement, then the echo replies'
    filter='arp or ip or (ip6[6] == 58 and (ip6[40] <= 129 or ip6[40] == 135 or ip6[40] == 136))'
    bare_veth
    capture
    alone ping 10.0.0.1 10.0.0.2 1 56 10
    join
    alone ping fd00::1 fd00::2 1 56 10
}

# fragments SADDR DADDR SPORT: four datagrams; in all but the first, later fragments overtake one
fragments() {
    fragments=yes
    tun a.delay=2 b.delay=2 a.late=4:2:3:500
    capture
    udp_echo "$2" 8000 4
    client udp-send "$1" "$3" "$2" 8000 20 3000 3001 8000 5000
}

scenario_fragments_ipv4() {
    link='Raw IP'
    made='UDP datagrams of 3,000 to 8,000 B and their echoes; every 4th fragment is late'
    shows='4 datagrams reassembled (DATAGRAMS.tsv), 4 echoes sent as fragments'
    fragments 10.0.0.1 10.0.0.2 51540
}

scenario_fragments_ipv6() {
    link='Raw IP'
    made='the same over IPv6 (fragment header)'
    shows='4 datagrams reassembled (DATAGRAMS.tsv), 4 echoes sent as fragments'
    fragments fd00::1 fd00::2 51541
}

scenario_mixed_flows() {
    link='Ethernet'
    made='three TCP connections (one of them IPv6), UDP echo and ping at the same time'
    shows='all flows of one capture; three connections, 5 echoes, 5 echo replies'
    tap a.delay=2 b.delay=2
    capture
    listen 10.0.0.2 9001 recv=3000 send=3000 eof close
    dial4 51542 9001 send=1000 sleep=100 send=1000 sleep=100 send=1000 recv=3000 close
    listen 10.0.0.2 9002 recv=16 send=30000 sleep=150 send=30000 close
    dial4 51543 9002 send=16 eof close
    listen fd00::2 9003 recv=20000 send=20 eof close
    dial6 51544 9003 sleep=50 send=20000 recv=20 close
    udp_echo 10.0.0.2 8000 5
    client udp-send 10.0.0.1 51545 10.0.0.2 8000 40 64 128 256 512 1024
    alone ping 10.0.0.1 10.0.0.2 5 56 40
}
