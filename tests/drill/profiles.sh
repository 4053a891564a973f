#!/bin/sh
# --profile: the same script under other settings. freebsd: its order of the options of a SYN and its names of settings; rfc: the RTO of
# RFC 6298 §2.4, at least one second.
status=0
run() {
    profile=$1
    shift
    printf '%s\n' "$@" >profile.pkt
    "$NETSTACK" drill --strict-end --tolerance_usecs=0 --tolerance_percent=0 --profile "$profile" profile.pkt >profile.out 2>&1 ||
        { status=1; echo "FAIL: profile $profile"; cat profile.out; }
    [ "$profile" = linux ] || ! "$NETSTACK" drill --tolerance_usecs=0 --tolerance_percent=0 profile.pkt >/dev/null 2>&1 ||
        { status=1; echo "FAIL: profile $profile changes nothing"; }
}
head='0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0'
run freebsd '`sysctl -q net.inet.tcp.rfc1323=1`' "$head" \
    '+0 < S 0:0(0) win 30000 <mss 1000,sackOK,TS val 7 ecr 0,nop,wscale 7>' \
    '+0 > S. 0:0(0) ack 1 win 65535 <mss 1460,nop,wscale 6,sackOK,TS val 1 ecr 7>'
run freebsd "$head" '+0 < S 0:0(0) win 30000 <mss 1000,sackOK>' '+0 > S. 0:0(0) ack 1 win 65535 <mss 1460,sackOK,eol,eol>'
for to in 'linux .21' 'rfc 1.01'; do
    run "${to% *}" '`../common/defaults.sh`' "$head" \
        '+0 < S 0:0(0) win 30000 <mss 1000>' '+0 > S. 0:0(0) ack 1 <mss 1460>' \
        '+.01 < . 1:1(0) ack 1 win 30000' '+0 accept(3, ..., ...) = 4' \
        '+0 write(4, ..., 10) = 10' '+0 > P. 1:11(10) ack 1' "+${to#* } > P. 1:11(10) ack 1"
done
exit $status
