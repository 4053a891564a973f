#!/bin/sh
# What a wrong script is told: place, what was expected, the nearest known name; exit 4. And what the command line is told: exit 2.
status=0
# wrong WHAT-IT-SAYS SCRIPT...: the script's lines are joined with newlines
wrong() {
    want=$1
    shift
    printf '%s\n' "$@" >wrong.pkt
    "$NETSTACK" drill wrong.pkt >wrong.out 2>&1
    code=$?
    [ $code -eq 4 ] || { status=1; echo "FAIL: exit $code, not 4: $want"; }
    head -n 1 wrong.out | grep -qF "$want" || { status=1; echo "FAIL: expected '$want'"; head -n 2 wrong.out; }
    tail -n 1 wrong.out | grep -qx '0 passed, 1 failed' || { status=1; echo "FAIL: no summary: $want"; }
}
wrong "wrong.pkt:1:4: unsupported: unknown system call sockte (did you mean socket?)" '+0 sockte(..., SOCK_STREAM, 0) = 3'
wrong "wrong.pkt:1:16: unknown constant SOCK_STRAEM (did you mean SOCK_STREAM?)" '+0 socket(..., SOCK_STRAEM, 0) = 3'
wrong "wrong.pkt:1:4: socket() takes 3 arguments, not 1" '+0 socket(...) = 3'
wrong "wrong.pkt:1:18: unknown error EGAIN (did you mean EAGAIN?)" '+0 close(3) = -1 EGAIN'
wrong "expected a TCP option: mss wscale sackOK sack TS nop eol FO FOEXP md5 ECN (did you mean sackOK?), found 'sackOk'" \
    '+0 < S 0:0(0) win 100 <mss 1000,sackOk>'
wrong "wrong.pkt:1:8: 1:1001(100): the length is 1000" '+0 < . 1:1001(100) ack 1 win 10'
wrong "wrong.pkt:1:4: a packet from the network needs its window: win N" '+0 < . 1:1(0) ack 1'
wrong "wrong.pkt:2:1: --mtuu: unknown option (did you mean mtu?)" '// a comment' '--mtuu=1500' '0 `true`'
wrong "wrong.pkt:1:4: unsupported command: iptables" '+0 `iptables -A INPUT -j DROP`'
wrong "wrong.pkt:1:4: unsupported: this stack has no counter TcpExtTCPFastRetransmits (did you mean TcpExtTCPFastRetrans?)" \
    '+0 `nstat | grep -q TcpExtTCPFastRetransmits`'
wrong "wrong.pkt:1:4: unsupported: this stack has no counter TcpExtFoo" '+0 `nstat -az TcpExtFoo`'
wrong "wrong.pkt:1:4: unsupported: a pipe into awk; only grep is known" "+0 \`nstat | awk '{print}'\`"
wrong "wrong.pkt:1:4: unsupported: grep -w" '+0 `nstat | grep -w TcpInSegs`'
wrong "wrong.pkt:1:4: unsupported: a pipe behind cat; only nstat | grep is known" '+0 `cat /proc/net/tcp | grep 1F90`'
wrong "wrong.pkt:1:4: unsupported: ! before true; only nstat | grep can fail here" '+0 `! true`'
wrong "wrong.pkt:1:4: unsupported command: iptables" "+0 \`sh -c 'set -e; iptables -F'\`"
wrong "wrong.pkt:1:4: unsupported command: ip rule" '+0 `ip rule show; ip rule add from 192.0.2.1`'
wrong "wrong.pkt:2:1: unsupported: unknown setting net.ipv4.tcp_sak (did you mean tcp_sack?)" '0 `true' 'sysctl -q net.ipv4.tcp_sak=0`'
wrong "wrong.pkt:2:8: unsupported in code: unknown name tcpi_snd_cwd (did you mean tcpi_snd_cwnd?)" '0 %{' 'assert tcpi_snd_cwd == 10 }%'
wrong "wrong.pkt:1:6: unsupported in code: 'if'" '0 %{ if x: print(1) }%'
wrong "wrong.pkt:1:3: this string has no end" '0 "abc'
wrong "wrong.pkt:1:3: this comment has no end: expected '*/'" '0 /* abc'
wrong "wrong.pkt:1:6: unsupported: 'gre'" '+0 > gre'
wrong "unknown member ee_info2 (did you mean ee_info?)" \
    '+0 recvmsg(3, {msg_control=[{cmsg_level=SOL_IP, cmsg_data={ee_info2=1}}]}, 0) = 1'
wrong "wrong.pkt:1:1: ranges of times and * are for packets that the stack sends" '+0~+1 close(3) = 0'
wrong "not a code of this type of ICMP (did you mean host_unreachable?)" '+0 < icmp unreachable host_unreachabel [1:2(1)]'
wrong "wrong.pkt:1:1: no event in this script" ''

# The whole script is checked before its first event.
wrong "wrong.pkt:2:4: unsupported: unknown system call flsh" '0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3' '+0 flsh(3) = 0'

refused() {
    want=$1
    shift
    "$NETSTACK" drill "$@" >wrong.out 2>&1
    code=$?
    [ $code -eq 2 ] || { status=1; echo "FAIL: exit $code, not 2: drill $*"; }
    grep -qF -e "$want" wrong.out || { status=1; echo "FAIL: drill $*: expected '$want'"; head -n 2 wrong.out; }
}
refused "--profile linus: unknown; one of: linux rfc freebsd; did you mean linux" --profile linus x.pkt
refused "--tolerance_usec: unknown option (did you mean tolerance_usecs?)" --tolerance_usec=1 x.pkt
refused "which scripts?"
refused "--jobs 0: expected a number" --jobs 0 x.pkt
refused "-D X: expected NAME=VALUE" -D X x.pkt

# --non_fatal: a packet or a result that differs does not end the script; assertions still do.
cat >forgiven.pkt <<'END'
`../common/defaults.sh`
    0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
   +0 bind(3, ..., ...) = 0
   +0 listen(3, 1) = 0
   +0 < S 0:0(0) win 40000 <mss 1000>
   +0 > S. 0:0(0) ack 1 <mss 1234>
  +.1 < . 1:1(0) ack 1 win 40000
   +0 accept(3, ..., ...) = 4
   +0 send(4, ..., 100, 0) = 99
   +0 > P. 1:101(100) ack 1
 +.05 < . 1:1(0) ack 101 win 40000
   +0 %{ assert tcpi_snd_cwnd == 10, tcpi_snd_cwnd }%
END
forgiven() {
    want=$1
    shift
    "$NETSTACK" drill "$@" forgiven.pkt >wrong.out 2>&1
    code=$?
    [ $code -eq "$want" ] || { status=1; echo "FAIL: exit $code, not $want: drill $* forgiven.pkt"; cat wrong.out; }
}
forgiven 0 --non_fatal=packet,syscall
forgiven 0 --non_fatal packet,syscall --ip_version ipv6 --mtu 1520
forgiven 1 --non_fatal=packet
forgiven 1 --non_fatal=syscall
forgiven 1

# --jobs changes nothing but the time; --json and --junit say the same.
"$NETSTACK" drill "$SRC/tests/drill/runner" >one.out 2>&1
"$NETSTACK" drill --jobs 3 --junit drill.xml "$SRC/tests/drill/runner" >three.out 2>&1
cmp one.out three.out || { status=1; echo "FAIL: --jobs 3 prints something else"; }
"$NETSTACK" drill --json "$SRC/tests/drill/runner" >drill.json 2>&1
[ "$(grep -c '"result":"passed"' drill.json)" -eq "$(grep -c '<testcase' drill.xml)" ] || { status=1; echo "FAIL: --json or --junit"; }
exit $status
