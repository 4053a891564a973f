#!/bin/sh
# A device that exists: what was added is taken back, what was there stays; --no-config touches nothing. Devices
# that cannot be used are refused by name and reason, exit status 3.
. "$SRC/tests/live/lib.sh"
refused() { # NAME PATTERN [ARGS...]
    name=$1 pattern=$2
    shift 2
    timeout 5 "$@" "$NETSTACK" --tun "$name" >out 2>err </dev/null
    status=$?
    [ $status -eq 3 ] || fail "$name: exit status $status"
    expect "$pattern" err
    check_stderr err
}

ip tuntap add tun0 mode tun && ip addr add 10.9.0.1/24 dev tun0 || fail "no device"
start_stack --mtu 1400 --addr 10.0.0.2/24 --addr 172.20.0.9/32
ip -4 addr show tun0 >log && expect 'inet 10\.0\.0\.1/24' log
ip link show tun0 >log && expect 'mtu 1400' log
ip route >log && expect '^172\.20\.0\.9 dev tun0 ' log
peer echo 172.20.0.9 7 1000 >log || fail "through the route: $(cat log)"
stop_stack
ip addr show tun0 >log
expect 'inet 10\.9\.0\.1/24' log
expect 'mtu 1500' log
grep -Eq '10\.0\.0\.1|fd00::1|[<,]UP[,>]' log && fail "something was left behind: $(cat log)"

"$NETSTACK" --tun tun0 --no-config --duration 0.5s >other.out 2>other.err &
other=$!
sleep 0.2
ip addr show tun0 >log
grep -q '10\.0\.0\.1' log && fail "--no-config added an address"
refused tun0 "^netstack: tun0 is in use by .* \(pid [0-9]+\); choose another name: --tun tun1$"
wait $other || fail "--no-config: exit status $?: $(cat other.err)"
expect '^netstack [0-9.]+  tun0 down ' other.out

# A link too small for IPv6, and a host without it: IPv4 works, and the second says so.
start_stack --mtu 1000
peer echo 10.0.0.2 7 100000 >log || fail "mtu 1000: $(cat log)"
stop_stack
expect 'stack 10\.0\.0\.2   host 10\.0\.0\.1   mtu 1000' stack.out
echo 1 >/proc/sys/net/ipv6/conf/tun0/disable_ipv6
start_stack
peer echo 10.0.0.2 7 1000 >log || fail "without IPv6: $(cat log)"
stop_stack
expect '^netstack: tun0: this host has IPv6 switched off \(fd00::1/64: Permission denied\); going on with IPv4$' stack.err

ip tuntap add tap0 mode tap
refused tap0 '^netstack: tap0 is a TAP device; --tun needs a TUN: sudo ip tuntap add tun1 mode tun$'
ip tuntap add tun5 mode tun multi_queue
refused tun5 '^netstack: tun5 is a multi-queue device; add --queues N, or take one with one queue: sudo ip tuntap add tun1 mode tun$'
refused lo '^netstack: lo is not a TUN device; choose another name: --tun '

# From here on with a device node of our own, in this test's mount namespace: missing, for root only, for all.
mount -t tmpfs tmpfs /dev/net || { echo "cannot mount: permissions not checked"; exit 0; }
refused tun7 '^netstack: /dev/net/tun: No such file or directory$'
expect '^  sudo modprobe tun' err
command -v setpriv >/dev/null || { echo "without setpriv: permissions not checked"; exit 0; }
chmod 755 "$dir"
user="setpriv --reuid 65534 --regid 65534 --clear-groups"
$user test -x "$NETSTACK" || { echo "the binary is in a private folder: permissions not checked"; exit 0; }
mknod -m 600 /dev/net/tun c 10 200 || { echo "cannot make a node: permissions not checked"; exit 0; }
refused tun7 '^netstack: /dev/net/tun: Permission denied$' $user
chmod 666 /dev/net/tun
refused tun7 '^netstack: tun7: no permission to create a TUN device \(TUNSETIFF: Operation not permitted\)$' $user
expect '^  sudo netstack --tun tun7  +or, once:$' err
expect '^  sudo ip tuntap add tun7 mode tun user nobody && sudo ip addr add 10\.0\.0\.1/24 dev tun7 && ' err
ip tuntap add tun8 mode tun user 12345
refused tun8 '^netstack: tun8 belongs to #12345 \(uid 12345\); attach as that user' $user
# Once prepared by root, no right is needed.
ip tuntap add tun9 mode tun user 65534
ip addr add 10.0.0.1/24 dev tun9 && ip addr add fd00::1/64 dev tun9 nodad && ip link set tun9 up
timeout 5 $user "$NETSTACK" --tun tun9 --ping 10.0.0.1 --duration 0.5s >out 2>err || fail "prepared device"
ip addr del 10.0.0.1/24 dev tun9
refused tun9 '^netstack: tun9: no permission to add the address 10\.0\.0\.1/24$' $user
